import ByteText
import ControlFiles
import LocalUsers
import Posix

/// The program qmail-getpw(8).
package enum GetpwProgram {
    private static let misused: Int32 = 100
    private static let unable: Int32 = 111
    private static let usage: StaticString = "qmail-getpw: usage: qmail-getpw local\n"

    /// Say on descriptor 1 whose a local part is, by the names of the machine's users.
    ///
    /// - Returns: The exit code.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        guard arguments.count == 2, !arguments[1].starts(with: "--") else {
            let asksForHelp = arguments.count == 2
            FileDescriptor.tell([UInt8](usage), on: asksForHelp ? 1 : 2)
            return asksForHelp ? 0 : misused
        }
        let instance = Instance.current(Environment.current)
        let found: DeliveryUser?
        do throws(ControlFailure) {
            let separators = try Control(of: instance).line("userseparators") ?? [UInt8]("-")
            do throws(Errno) {
                let users = PasswordFile(
                    try Files.contents(instance.path("/etc/passwd"), limit: 64 << 20))
                found = try DeliveryUser.find(arguments[1], among: users, separators: separators)
            } catch {
                return fatal([UInt8]("unable to look up the user: ") + error.text)
            }
        } catch {
            return fatal(error.text)
        }
        guard let found else { return fatal([UInt8]("there is no user alias")) }
        let user = found.user
        let fields = [
            user.name, [UInt8](decimal: user.identifier), [UInt8](decimal: user.group), user.home,
            found.dash, found.ext,
        ]
        var output: [UInt8] = []
        for field in fields { output += field + [0] }
        return FileDescriptor.tell(output, on: 1) ? 0 : unable
    }

    private static func fatal(_ text: [UInt8]) -> Int32 {
        FileDescriptor.tell([UInt8]("qmail-getpw: fatal: ") + text + [10], on: 2)
        return unable
    }
}
