import ByteText
package import Posix

/// Which signatures are used and how far a scan goes, from the variables of qhpsi-libclamav(7).
package struct ClamSettings: Equatable, Sendable {
    /// A folder of databases, or one database file.
    package var database: [UInt8]
    /// Where archives are unpacked.
    package var temporaryFolder: [UInt8]
    /// Bytes that are looked at in all of one message, nil for libclamav's own limit; 0 is without limit,
    /// as for the next three.
    package var scanSize: Int?
    /// Bytes of one file inside.
    package var fileSize: Int?
    /// Files inside.
    package var files: Int?
    /// Archives in archives.
    package var recursion: Int?
    /// Milliseconds; nil uses what the caller has left.
    package var scanTime: Int?

    /// A variable whose value cannot be meant; the text names it.
    package struct Misconfiguration: Error, Equatable, Sendable {
        /// What is wrong, and the value.
        package let text: [UInt8]
    }

    /// libclamav's own 17 is for files; a mail and its parts are levels above them.
    static let defaultRecursion = 24

    /// Read the variables.
    package init(_ environment: Environment) throws(Misconfiguration) {
        database = environment["CLAMAV_DATABASE"] ?? [UInt8]("/var/lib/clamav")
        temporaryFolder = environment["CLAMAV_TMPDIR"] ?? [UInt8]("/tmp")
        guard database.first == UInt8(ascii: "/"), temporaryFolder.first == UInt8(ascii: "/") else {
            throw Misconfiguration(
                text: [UInt8]("CLAMAV_DATABASE or CLAMAV_TMPDIR is not an absolute path"))
        }
        scanSize = try Self.number(environment, "CLAMAV_MAXSCANSIZE", upTo: Int.max)
        fileSize = try Self.number(environment, "CLAMAV_MAXFILESIZE", upTo: Int.max)
        files = try Self.number(environment, "CLAMAV_MAXFILES", upTo: Int(UInt32.max))
        recursion =
            try Self.number(environment, "CLAMAV_MAXRECURSION", upTo: Int(UInt32.max))
            ?? Self.defaultRecursion
        scanTime = try Self.number(environment, "CLAMAV_MAXSCANTIME", upTo: Int(UInt32.max))
    }

    private static func number(
        _ environment: Environment, _ name: StaticString, upTo limit: Int
    ) throws(Misconfiguration) -> Int? {
        guard let text = environment[name] else { return nil }
        guard let value = text.decimalValue, value <= limit else {
            throw Misconfiguration(text: [UInt8](name) + [UInt8](": not a number: ") + text)
        }
        return value
    }
}
