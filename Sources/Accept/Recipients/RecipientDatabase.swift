import ByteText
import ConstantDatabases
package import Posix

/// The recipients that control/recipients.cdb knows; qmail-recipients(8) makes it.
///
/// Beside the entries' keys it has each domain of them as a key, so that a domain it says nothing about can be
/// told from one without such a recipient.
package struct RecipientDatabase {
    private let database: ConstantDatabase

    /// Open the file.
    package init(path: [UInt8]) throws(Errno) { database = try ConstantDatabase(path: path) }

    /// Whether there is such a recipient; nil when the database says nothing about the domain.
    ///
    /// - Throws: When the database cannot be read.
    package func knows(localPart: [UInt8], domain: [UInt8]) throws(Errno) -> Bool? {
        guard try database.contains(domain.lowercased[...]) else { return nil }
        for key in RecipientEntry.keys(localPart: localPart, domain: domain) {
            if try database.contains(key[...]) { return true }
        }
        return false
    }

    /// The records for these entries, each key once.
    static func records(_ entries: [RecipientEntry]) -> [(key: [UInt8], data: [UInt8])] {
        let keys = (entries.map { $0.key } + entries.map { $0.domain }).sorted {
            $0.lexicographicallyPrecedes($1)
        }
        var records: [(key: [UInt8], data: [UInt8])] = []
        for key in keys where records.last?.key != key { records.append((key, [])) }
        return records
    }
}
