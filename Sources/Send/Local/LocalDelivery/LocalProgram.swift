import ByteText
package import CommandLine
import DotQmail
import Posix

/// The program qmail-local(8).
package enum LocalProgram {
    private static let argumentCount = 8

    /// Deliver the message on descriptor 0, and say on descriptor 1 what was done or why not.
    ///
    /// - Returns: The exit code: 0, 100 or 111.
    package static func run(_ program: Program) -> Int32 {
        var kind = Delivery.Kind()
        var options = OptionWords(Process.arguments.dropFirst())
        while let option = options.next() {
            switch option {
            case UInt8(ascii: "a"): kind.isAlias = true
            case UInt8(ascii: "n"): kind.isDry = true
            case UInt8(ascii: "N"): kind.isDry = false
            case UInt8(ascii: "u"): kind.isBehindAlias = true
            default: return program.misused()
            }
        }
        let words = options.rest
        guard words.count == argumentCount else { return program.misused() }
        prepare()
        let address = DeliveryAddress(
            user: words[0], home: words[1], local: words[2], dash: words[3], ext: words[4],
            host: words[5], sender: words[6])
        var delivery = Delivery(
            address, message: FileDescriptor(adopting: 0), fallback: words[7], kind: kind,
            environment: Environment.current)
        do throws(DeliveryFailure) {
            if address.home.first != UInt8(ascii: "/") {
                throw DeliveryFailure(.temporary, "The home folder is not absolute. (#4.3.5)")
            }
            try delivery.perform()
            FileDescriptor.tell(delivery.words, on: 1)
            return 0
        } catch {
            // If that cannot be written, the exit code tells.
            FileDescriptor.tell(error.line, on: 1)
            return error.code.rawValue
        }
    }

    /// Files are the recipient's alone, and what ends without us is to be tried again.
    private static func prepare() {
        Process.setFileModeMask(0o077)
        Signal.brokenPipe.ignore()
        Signal.fileSize.ignore()
        Signal.alarm.exitsProcess(with: DeliveryFailure.Code.temporary.rawValue)
    }
}
