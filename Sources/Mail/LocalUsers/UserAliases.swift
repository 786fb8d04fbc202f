import ByteText
package import ConstantDatabases
package import Posix

/// The aliases that newaliases(1) has compiled, which go before the users of their names; see qmail-lspawn(8).
package enum UserAliases {
    /// Whether one is a local part's; an alias of a whole domain is for those whom nobody knows.
    ///
    /// - Throws: `Errno.invalid` when the file is no database.
    package static func has(
        _ local: [UInt8], at domain: [UInt8], in database: ConstantDatabase
    ) throws(Errno) -> Bool {
        let name = local.lowercased
        let address = name + [UInt8(ascii: "@")] + domain.lowercased
        if try database.contains(address[...]) { return true }
        return try database.contains(name[...])
    }

    /// A local part without the backslash that asks for the user himself, whatever alias there is; nil when it has none.
    package static func afterBackslash(_ local: [UInt8]) -> [UInt8]? {
        local.first == UInt8(ascii: "\\") ? Array(local.dropFirst()) : nil
    }
}
