import ByteText

/// What a client says to prove who it is; RFC 4954.
///
/// It has no description: the password is to go to the program that checks it, and nowhere else.
package struct Login: Equatable, Sendable {
    /// How it was said.
    package enum Mechanism: Sendable {
        /// RFC 4616.
        case plain
        /// User name and password as answers to two questions; draft-murchison-sasl-login.
        case login

        /// The mechanism's name in AUTH and in the log.
        package var name: StaticString {
            switch self {
            case .plain: "PLAIN"
            case .login: "LOGIN"
            }
        }
    }

    /// How.
    package let mechanism: Mechanism
    /// As whom the client wants to act, empty for the user himself; any bytes.
    package let actingFor: [UInt8]
    /// Any bytes but NUL.
    package let user: [UInt8]
    package let password: [UInt8]

    /// The answers to the questions of LOGIN.
    init(user: [UInt8], password: [UInt8]) {
        mechanism = .login
        actingFor = []
        self.user = user
        self.password = password
    }

    /// The message of PLAIN; nil when it is malformed.
    init?(plain message: [UInt8]) {
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        mechanism = .plain
        actingFor = Array(parts[0])
        user = Array(parts[1])
        password = Array(parts[2])
    }

    /// Whether the client wants to be someone else than whose password it has.
    ///
    /// The same name with a domain of the server's own, or without it, is the same user.
    package func isForAnother(owning isOwn: ([UInt8]) -> Bool) -> Bool {
        if actingFor.isEmpty || actingFor == user { return false }
        return Self.name(actingFor, isOwn) != Self.name(user, isOwn)
    }

    /// The user's name without a domain of our own.
    private static func name(_ user: [UInt8], _ isOwn: ([UInt8]) -> Bool) -> [UInt8] {
        guard let at = user.lastIndex(of: UInt8(ascii: "@")), at > 0 else { return user }
        return isOwn(Array(user[(at + 1)...])) ? Array(user[..<at]) : user
    }

    /// Whether there can be such a user and password at all.
    package var isPlausible: Bool {
        user.isUserName && !password.isEmpty && !password.contains(0)
    }
}

extension [UInt8] {
    /// Whether this can name a user in logs and variables: printable, in ASCII or UTF-8, at most 255 bytes.
    package var isUserName: Bool {
        guard !isEmpty, count <= 255, isUTF8 else { return false }
        for i in indices {
            if self[i] < 32 || self[i] == 127 { return false }
            // U+0080 to U+009F are control characters, too.
            if self[i] == 0xC2, i + 1 < count, self[i + 1] < 0xA0 { return false }
        }
        return true
    }
}
