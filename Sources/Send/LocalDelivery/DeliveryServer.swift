import DotQmail
import Posix

/// A qmail-local that takes one delivery of its user after the other, so that not each needs a process of its own.
///
/// It does those that are files only; all others are for a qmail-local that programs may have for themselves.
enum DeliveryServer {
    private static let unable: Int32 = 111

    /// Take requests on descriptor 0, each with its message beside it, until the other side is gone.
    ///
    /// - Returns: The exit code.
    static func run() -> Int32 {
        do throws(Errno) {
            // What is opened must not come to be where words are expected.
            try Process.fillStandardDescriptors()
            let socket = FileDescriptor(adopting: 0)
            let environment = Environment.current
            var buffer = [UInt8](repeating: 0, count: DeliveryRequest.sizeLimit)
            while true {
                var descriptor: Int32?
                let count = try socket.receivePacket(into: &buffer, passed: &descriptor)
                if count == 0 { return 0 }
                guard let descriptor, let request = DeliveryRequest(buffer[..<count]) else {
                    return unable
                }
                let message = FileDescriptor(adopting: descriptor)
                try socket.sendPacket(answer(request, message, environment))
            }
        } catch {
            return unable
        }
    }

    private static func answer(
        _ request: DeliveryRequest, _ message: consuming FileDescriptor, _ environment: Environment
    ) -> [UInt8] {
        var delivery = Delivery(request, message: message, isDry: false, environment: environment)
        do throws(DeliveryFailure) {
            guard try delivery.perform(onlyFiles: true) else { return [DeliveryAnswer.notHere] }
            return [0] + delivery.words
        } catch {
            return [UInt8(truncatingIfNeeded: error.code.rawValue)] + error.text + [10]
        }
    }
}
