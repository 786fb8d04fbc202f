/// What a checkpassword program is asked on descriptor 3; see http://cr.yp.to/checkpwd/interface.html.
struct PasswordQuestion {
    /// Without NULs.
    let user: [UInt8]
    private(set) var password: [UInt8]

    /// The most bytes of it.
    static let limit = 512

    /// Read it: a user name, a password and a timestamp, each ended by NUL, and perhaps more.
    ///
    /// The timestamp is for other kinds of passwords. Nil: it is not that, or too long.
    init?(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        guard bytes.count <= Self.limit, parts.count > 3 else { return nil }
        user = Array(parts[0])
        password = Array(parts[1])
    }

    /// Whether there can be such a user, and such a password that not everybody knows.
    var isPlausible: Bool {
        !password.isEmpty && !user.isEmpty && user.allSatisfy { $0 >= 32 && $0 != 127 }
    }

    /// Forget the password.
    mutating func wipe() {
        for i in password.indices { password[i] = 0 }
    }
}
