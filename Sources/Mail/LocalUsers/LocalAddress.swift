import ByteText
package import Posix

/// Whose mail a local part is, and what is left of it for his .qmail files; see dot-qmail(5).
package struct LocalAddress: Equatable, Sendable {
    /// The user.
    package let user: LocalUser
    /// Whether an extension follows the user's name; an empty one is one, too.
    package let hasExtension: Bool
    /// What follows the separator, or the whole local part when nobody has it and it is the user alias's.
    package let ext: [UInt8]

    /// The user who gets what is nobody's.
    static let aliasName = [UInt8]("alias")
    /// Longer names are none.
    private static let nameLimit = 31

    /// Find the user: the local part itself, or what stands before a separator, the longest first, or else alias.
    ///
    /// A user counts who is not root and owns his home folder, which must be there.
    ///
    /// - Parameters:
    ///   - local: The local part; the case of ASCII letters does not count.
    ///   - users: Whom there may be.
    ///   - separators: Bytes that may stand between a name and an extension.
    /// - Returns: Nil when there is not even a user alias.
    /// - Throws: When a home folder cannot be looked at.
    package static func find(
        _ local: [UInt8], among users: PasswordFile, separators: [UInt8]
    ) throws(Errno) -> LocalAddress? {
        let local = local.lowercased
        var end = local.count
        while true {
            let name = Array(local[..<end])
            if name.count <= nameLimit, let user = users.user(named: name), try user.isAtHome {
                return LocalAddress(
                    user: user, hasExtension: end < local.count,
                    ext: Array(local[end...].dropFirst()))
            }
            guard let next = local[..<end].lastIndex(where: { separators.contains($0) }) else {
                break
            }
            end = next
        }
        return try alias(for: local, among: users)
    }

    /// The user alias with a local part that is nobody's; nil when there is no such user.
    static func alias(
        for local: [UInt8], among users: PasswordFile
    ) throws(Errno) -> LocalAddress? {
        guard let user = users.user(named: aliasName), try user.isAtHome else { return nil }
        return LocalAddress(user: user, hasExtension: true, ext: local)
    }

    /// Whether a .qmail file says what to do with the mail; a user without an extension needs none.
    ///
    /// See `DeliveryUser.isDeliverable`.
    package var isDeliverable: Bool {
        get throws(Errno) {
            let dash = hasExtension ? [UInt8(ascii: "-")] : []
            return try DeliveryUser(user: user, dash: dash, ext: ext).isDeliverable
        }
    }
}

extension LocalUser {
    /// Whether mail may be delivered as this user.
    fileprivate var isAtHome: Bool {
        get throws(Errno) {
            if identifier == 0 { return false }
            do throws(Errno) {
                let status = try FileStatus(following: home)
                return status.kind == .directory && status.owner == identifier
            } catch {
                if error == .accessDenied { return true }
                if error == .noSuchFile || error == .notDirectory { return false }
                throw error
            }
        }
    }
}
