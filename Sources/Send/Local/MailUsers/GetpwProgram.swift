import ByteText
package import CommandLine
import ControlFiles
import LocalUsers
import Posix

/// The program qmail-getpw(8).
package enum GetpwProgram {
    /// Say on descriptor 1 whose a local part is, by the names of the machine's users.
    ///
    /// - Returns: The exit code.
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        guard arguments.count == 2, !arguments[1].starts(with: "--") else {
            return program.misused()
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
                return program.fatal([UInt8]("unable to look up the user: ") + error.text)
            }
        } catch {
            return program.fatal(error.text)
        }
        guard let found else { return program.fatal([UInt8]("there is no user alias")) }
        let user = found.user
        let fields = [
            user.name, [UInt8](decimal: user.identifier), [UInt8](decimal: user.group), user.home,
            found.dash, found.ext,
        ]
        var output: [UInt8] = []
        for field in fields { output += field + [0] }
        return FileDescriptor.tell(output, on: 1) ? 0 : Program.temporary
    }
}
