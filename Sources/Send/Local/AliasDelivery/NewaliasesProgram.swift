import AliasFile
import ByteText
package import CommandLine
import ConstantDatabases
import ControlFiles
import Posix

/// The program newaliases(1).
package enum NewaliasesProgram {
    /// The new database is in force, and something of the file is not in it.
    private static let incomplete: Int32 = 1
    private static let sizeLimit = 256 << 20

    /// Make the database of aliases, whole or not at all, of all that is understood.
    ///
    /// An alias of which a part is wrong is in it with that: its mail waits until the file is mended, for without the alias
    /// it would be returned.
    ///
    /// - Returns: The exit code.
    package static func run(_ program: Program) -> Int32 {
        guard Process.arguments.count == 1 else { return program.misused() }
        let instance = Instance.current(Environment.current)
        let source = instance.path("/etc/aliases")
        Process.setFileModeMask(0o022)
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(source, limit: sizeLimit) } catch {
            return program.fatal([UInt8]("unable to read ") + source + [UInt8](": ") + error.text)
        }
        let file = AliasFile(text)
        tellFlaws(file, source)
        tellDoubles(file, source)
        let records = file.entries.map {
            (key: $0.name, data: AliasTarget.encoded($0.targets))
        }
        let database = DatabaseReplacement(
            path: instance.path("/etc/qhpsi/aliases.cdb"),
            temporary: instance.path("/etc/qhpsi/aliases.cdb.tmp"))
        do throws(DatabaseReplacement.Failure) { try database.write(records) } catch {
            return program.fatal(error.text)
        }
        return file.flaws.isEmpty ? 0 : incomplete
    }

    private static func tellFlaws(_ file: AliasFile, _ source: [UInt8]) {
        for flaw in file.flaws {
            var text = [UInt8]("error: ") + source + [UInt8](":") + [UInt8](decimal: flaw.line)
            text += [UInt8](": ") + flaw.words
            if flaw.name.isEmpty {
                text += [UInt8]("; the line is left out")
            } else {
                text += [UInt8]("; mail for ") + flaw.name.singleLine
                text += [UInt8](" waits until this is mended")
            }
            FileDescriptor.tell([UInt8]("newaliases: ") + text + [10], on: 2)
        }
    }

    /// Of two aliases with one name the first counts, which is told.
    private static func tellDoubles(_ file: AliasFile, _ source: [UInt8]) {
        let entries = file.entries.sorted {
            $0.name == $1.name ? $0.line < $1.line : $0.name.lexicographicallyPrecedes($1.name)
        }
        var first: AliasFile.Entry?
        for entry in entries {
            guard let known = first, known.name == entry.name else {
                first = entry
                continue
            }
            var text = [UInt8]("newaliases: warning: ") + source + [UInt8](":")
            text += [UInt8](decimal: entry.line) + [UInt8](": ") + entry.name.singleLine
            text += [UInt8](" has an alias in line ") + [UInt8](decimal: known.line)
            FileDescriptor.tell(text + [UInt8](" already, which counts\n"), on: 2)
        }
    }
}
