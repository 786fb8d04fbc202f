import ByteText
package import CommandLine
import ConstantDatabases
import ControlFiles
import LocalUsers
import Posix

/// The program qmail-newu(8).
package enum NewuProgram {
    private static let sizeLimit = 256 << 20

    /// Make users/cdb of users/assign, whole or not at all.
    ///
    /// - Returns: The exit code.
    package static func run(_ program: Program) -> Int32 {
        guard Process.arguments.count == 1 else { return program.misused() }
        let instance = Instance.current(Environment.current)
        let source = instance.path("/etc/qhpsi/users/assign")
        Process.setFileModeMask(0o022)
        let records: [(key: [UInt8], data: [UInt8])]
        do throws(Errno) {
            let text = try Files.contents(source, limit: sizeLimit)
            do throws(UserAssignments.Flaw) { records = try UserAssignments.records(text) } catch {
                return program.fatal(explain(error, source), Program.permanent)
            }
        } catch {
            return program.fatal([UInt8]("unable to read ") + source + [UInt8](": ") + error.text)
        }
        let database = DatabaseReplacement(
            path: instance.path("/etc/qhpsi/users/cdb"),
            temporary: instance.path("/etc/qhpsi/users/cdb.tmp"))
        do throws(DatabaseReplacement.Failure) { try database.write(records) } catch {
            return program.fatal(error.text)
        }
        return 0
    }

    private static func explain(_ flaw: UserAssignments.Flaw, _ path: [UInt8]) -> [UInt8] {
        let start = [UInt8]("unable to parse ") + path
        if flaw.line == 0 { return start + [UInt8](": its last line must be a dot") }
        return start + [UInt8](":") + [UInt8](decimal: flaw.line)
            + [UInt8](
                ": expected =local:user:uid:gid:/home:dash:ext: or +begin:user:uid:gid:/home:dash:ext:"
            )
    }
}
