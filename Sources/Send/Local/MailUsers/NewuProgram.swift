import ByteText
import ConstantDatabases
import ControlFiles
import LocalUsers
import Posix

/// The program qmail-newu(8).
package enum NewuProgram {
    private static let misused: Int32 = 100
    private static let unable: Int32 = 111
    private static let usage: StaticString = """
        qmail-newu: usage: qmail-newu, which makes users/cdb from users/assign

        """
    private static let sizeLimit = 256 << 20

    /// Make users/cdb of users/assign, whole or not at all.
    ///
    /// - Returns: The exit code.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        if arguments.count > 1 {
            let asksForHelp = arguments[1].equals("--help") || arguments[1].equals("--version")
            FileDescriptor.tell([UInt8](usage), on: asksForHelp ? 1 : 2)
            return asksForHelp ? 0 : misused
        }
        let instance = Instance.current(Environment.current)
        let source = instance.path("/etc/qhpsi/users/assign")
        Process.setFileModeMask(0o022)
        let records: [(key: [UInt8], data: [UInt8])]
        do throws(Errno) {
            let text = try Files.contents(source, limit: sizeLimit)
            do throws(UserAssignments.Flaw) { records = try UserAssignments.records(text) } catch {
                return fatal(explain(error, source), misused)
            }
        } catch {
            return fatal([UInt8]("unable to read ") + source + [UInt8](": ") + error.text, unable)
        }
        let database = DatabaseReplacement(
            path: instance.path("/etc/qhpsi/users/cdb"),
            temporary: instance.path("/etc/qhpsi/users/cdb.tmp"))
        do throws(DatabaseReplacement.Failure) { try database.write(records) } catch {
            return fatal(error.text, unable)
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

    private static func fatal(_ text: [UInt8], _ code: Int32) -> Int32 {
        FileDescriptor.tell([UInt8]("qmail-newu: fatal: ") + text + [10], on: 2)
        return code
    }
}
