import ByteText
package import CommandLine
import ConnectionRules
import ConstantDatabases
import ControlFiles
import Posix
import RuleDatabase

/// The program qmail-recipients(8).
package enum RecipientsProgram {
    /// Bytes of control/recipients: some millions of lines.
    private static let inputLimit = 1 << 28

    /// Compile control/recipients of this instance.
    ///
    /// - Returns: 0 when the new database is in force; otherwise the old one is: 100 for an argument or a wrong
    ///   line, 111 when something could not be done.
    package static func run(_ program: Program) -> Int32 {
        guard Process.arguments.count == 1 else { return program.misused() }
        let control = Control(of: Instance.current(.current))
        let path = control.file("recipients")
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(path, limit: inputLimit) } catch {
            return program.fatal([UInt8]("unable to read ") + path + [UInt8](": ") + error.text)
        }
        let entries: [RecipientEntry]
        do throws(RuleFlaw) { entries = try RecipientEntry.entries(text) } catch {
            return program.fatal(
                [UInt8]("unable to parse ") + error.text(file: path), Program.permanent)
        }
        let database = DatabaseReplacement(
            path: control.file("recipients.cdb"), temporary: control.file("recipients.tmp"))
        do throws(DatabaseReplacement.Failure) {
            try database.write(RecipientDatabase.records(entries))
            return 0
        } catch {
            return program.fatal(error.text)
        }
    }
}
