import AliasFile
import ByteText
import ConstantDatabases
import ControlFiles
import Posix

/// The program newaliases(1).
package enum NewaliasesProgram {
    private static let misused: Int32 = 100
    private static let unable: Int32 = 111
    private static let usage: StaticString = """
        newaliases: usage: newaliases, which makes /etc/qhpsi/aliases.cdb from /etc/aliases

        """
    private static let sizeLimit = 256 << 20

    /// Make the database of aliases, whole or not at all.
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
        let source = instance.path("/etc/aliases")
        Process.setFileModeMask(0o022)
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(source, limit: sizeLimit) } catch {
            return fatal([UInt8]("unable to read ") + source + [UInt8](": ") + error.text, unable)
        }
        let records: [(key: [UInt8], data: [UInt8])]
        do throws(AliasFile.Flaw) { records = try Self.records(text) } catch {
            let place = source + [UInt8](":") + [UInt8](decimal: error.line) + [UInt8](": ")
            return fatal(
                [UInt8]("unable to parse ") + place + [UInt8](error.reason.words), misused)
        }
        let database = DatabaseReplacement(
            path: instance.path("/etc/qhpsi/aliases.cdb"),
            temporary: instance.path("/etc/qhpsi/aliases.cdb.tmp"))
        do throws(DatabaseReplacement.Failure) { try database.write(records) } catch {
            return fatal(error.text, unable)
        }
        return 0
    }

    /// A record for each alias; of two with one name the first counts, which is told.
    private static func records(
        _ text: [UInt8]
    ) throws(AliasFile.Flaw) -> [(key: [UInt8], data: [UInt8])] {
        var records: [(key: [UInt8], data: [UInt8])] = []
        for entry in try AliasFile.entries(text) {
            records.append((key: entry.name, data: AliasTarget.encoded(entry.targets)))
        }
        let names = records.map { $0.key }.sorted { $0.lexicographicallyPrecedes($1) }
        for (i, name) in names.enumerated().dropFirst() where name == names[i - 1] {
            let words = [UInt8]("newaliases: warning: only the first of two counts: ")
            FileDescriptor.tell(words + name + [10], on: 2)
        }
        return records
    }

    private static func fatal(_ text: [UInt8], _ code: Int32) -> Int32 {
        FileDescriptor.tell([UInt8]("newaliases: fatal: ") + text + [10], on: 2)
        return code
    }
}
