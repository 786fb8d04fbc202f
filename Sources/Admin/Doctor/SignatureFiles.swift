import ByteText
import Posix

/// The files of clamd's database that can have signatures, by their names.
///
/// A database of comments, settings and exceptions (.fp, .ign2) is enough for clamd to start, and then it calls everything clean.
struct SignatureFiles {
    /// All of them, sorted.
    let names: [String]
    private let folder: String
    private let machine: Machine

    private static let official = ["cvd", "cld", "cud"]
    private static let rules = ["yar", "yara"]
    private static let own = [
        "hdb", "hsb", "hdu", "hsu", "mdb", "msb", "mdu", "msu", "ndb", "ndu", "ldb", "ldu", "cdb",
        "cbc",
    ]
    /// The most bytes of a file that are looked at.
    private static let limit = 1 << 20

    init(in folder: String, of machine: Machine) {
        self.folder = folder
        self.machine = machine
        names = machine.names(folder).filter {
            Self.ends($0, Self.official + Self.rules + Self.own)
        }
    }

    private static func ends(_ name: String, _ kinds: [String]) -> Bool {
        kinds.contains { name.hasSuffix("." + $0) }
    }

    /// Whether there is a signature in any of them; also true for a file that cannot be read.
    var haveSignature: Bool { names.contains { hasSignature($0) } }

    private func hasSignature(_ name: String) -> Bool {
        let head: [UInt8]
        do throws(Errno) {
            let file = try FileDescriptor.open(machine.path(folder + "/" + name), .readNonBlocking)
            var buffer = [UInt8](repeating: 0, count: Self.limit)
            let count = try file.read(into: &buffer, at: 0)
            head = Array(buffer[..<count])
        } catch {
            return true
        }
        if Self.ends(name, Self.official) {
            // ClamAV-VDB, the time, the version, how many signatures there are.
            let fields = head.prefix(512).split(
                separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            return fields.count > 3 && Array(fields[3]).decimalValue ?? 0 > 0
        }
        let lines = head.lines
        if Self.ends(name, Self.rules) {
            return lines.contains { line in line.words.contains { $0.equals("rule") } }
                && !lines.allSatisfy { $0.isEmpty || $0.starts(with: "//") }
        }
        return lines.contains { line in
            line.first.map { !$0.isBlank && $0 != UInt8(ascii: "#") } ?? false
        }
    }
}
