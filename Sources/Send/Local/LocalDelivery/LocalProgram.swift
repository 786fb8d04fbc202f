import ByteText
import DotQmail
import Posix

/// The program qmail-local(8).
package enum LocalProgram {
    private static let usage: StaticString = """
        qmail-local: usage: qmail-local [ -anuN ] [ -- ] user homedir local dash ext domain \
        sender defaultdelivery

        """
    private static let argumentCount = 8

    /// Deliver the message on descriptor 0, and say on descriptor 1 what was done or why not.
    ///
    /// - Returns: The exit code: 0, 100 or 111.
    package static func run() -> Int32 {
        var kind = Delivery.Kind()
        var arguments = Process.arguments.dropFirst()
        while let option = arguments.first, option.first == UInt8(ascii: "-"), option.count > 1 {
            arguments = arguments.dropFirst()
            if option.equals("--") { break }
            for byte in option.dropFirst() {
                switch byte {
                case UInt8(ascii: "a"): kind.isAlias = true
                case UInt8(ascii: "n"): kind.isDry = true
                case UInt8(ascii: "N"): kind.isDry = false
                case UInt8(ascii: "u"): kind.isBehindAlias = true
                default: return explain(option)
                }
            }
        }
        guard arguments.count == argumentCount else { return explain([]) }
        let words = Array(arguments)
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
            // Who is not told has the exit code.
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

    private static func explain(_ option: [UInt8]) -> Int32 {
        let asksForHelp = option.equals("--help") || option.equals("--version")
        FileDescriptor.tell([UInt8](usage), on: asksForHelp ? 1 : 2)
        return asksForHelp ? 0 : DeliveryFailure.Code.permanent.rawValue
    }
}
