import ByteText

/// Why the program was not run, and the exit codes for it; see http://cr.yp.to/checkpwd/interface.html.
enum CheckpasswordFailure: Error {
    /// The password is not acceptable; there is nothing more to say.
    case refused
    /// Nobody logs in as this user, whatever the password is.
    case systemAccount(user: [UInt8], uid: UInt32)
    case misused([UInt8])
    case temporary([UInt8])

    var code: Int32 {
        switch self {
        case .refused, .systemAccount: 1
        case .misused: 2
        case .temporary: 111
        }
    }

    /// Whether the caller learns from it only that the password is not acceptable.
    var isRefusal: Bool { code == 1 }

    /// What the caller's log gets; empty: nothing.
    var text: [UInt8] {
        switch self {
        case .refused: []
        case .systemAccount(let user, let uid):
            [UInt8]("refused: ") + user + [UInt8](" is an account of the system, user id ")
                + [UInt8](decimal: uid)
        case .misused(let text), .temporary(let text): [UInt8]("fatal: ") + text
        }
    }
}
