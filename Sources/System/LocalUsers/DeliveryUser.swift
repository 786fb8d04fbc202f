import ByteText
package import Posix

/// As whom and where the mail of a local part is delivered: what qmail-local is told of it.
package struct DeliveryUser: Equatable, Sendable {
    /// The user, with his home folder.
    package let user: LocalUser
    /// What stands between `.qmail` and the extension.
    package let dash: [UInt8]
    /// The extension, in the case of letters that the address had.
    package let ext: [UInt8]

    /// A user, a dash and an extension.
    package init(user: LocalUser, dash: [UInt8], ext: [UInt8]) {
        self.user = user
        self.dash = dash
        self.ext = ext
    }

    /// Find him by the users' names as qmail-getpw(8) does; see `LocalAddress.find`.
    ///
    /// The dash is a hyphen whenever an extension follows, whatever separates it in the address.
    package static func find(
        _ local: [UInt8], among users: PasswordFile, separators: [UInt8]
    ) throws(Errno) -> DeliveryUser? {
        guard let address = try LocalAddress.find(local, among: users, separators: separators)
        else { return nil }
        // The extension is the local part's end, which address.ext has in lower case.
        return DeliveryUser(
            user: address.user, dash: address.hasExtension ? [UInt8(ascii: "-")] : [],
            ext: Array(local.suffix(address.ext.count)))
    }
}
