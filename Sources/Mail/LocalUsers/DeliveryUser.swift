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

    /// The user alias with the local part as extension, as who gets what is nobody's; nil when there is no such user.
    package static func alias(
        for local: [UInt8], among users: PasswordFile
    ) throws(Errno) -> DeliveryUser? {
        guard let address = try LocalAddress.alias(for: local, among: users) else { return nil }
        return DeliveryUser(user: address.user, dash: [UInt8(ascii: "-")], ext: local)
    }

    /// Whether the local part is nobody's, so that the user alias has it.
    package func isNobodys(_ local: [UInt8]) -> Bool {
        user.name == LocalAddress.aliasName && !dash.isEmpty && ext.lowercased == local.lowercased
    }

    /// Whether a .qmail file says what to do with the mail; without dash and extension none is needed.
    ///
    /// The files are those of `QmailFileName`. A home folder that may not be searched is taken to have one.
    package var isDeliverable: Bool {
        get throws(Errno) {
            if user.identifier == 0 || ext.contains(0) { return false }
            if dash.isEmpty, ext.isEmpty { return true }
            for file in QmailFileName.candidates(dash: dash, ext: ext) {
                if try Self.exists(user.home + [UInt8(ascii: "/")] + file.name) { return true }
            }
            return false
        }
    }

    private static func exists(_ path: [UInt8]) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(of: path)
            return true
        } catch {
            // Who may not look cannot say that there is nothing.
            if error == .accessDenied { return true }
            if error == .noSuchFile || error == .notDirectory || error == .nameTooLong {
                return false
            }
            throw error
        }
    }
}
