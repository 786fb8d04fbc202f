/// Why the program was not run, and the exit codes for it; see http://cr.yp.to/checkpwd/interface.html.
enum CheckpasswordFailure: Error {
    /// The password is not acceptable; there is nothing more to say.
    case refused
    case misused([UInt8])
    case temporary([UInt8])

    var code: Int32 {
        switch self {
        case .refused: 1
        case .misused: 2
        case .temporary: 111
        }
    }

    /// What the caller's log gets.
    var text: [UInt8] {
        switch self {
        case .refused: []
        case .misused(let text), .temporary(let text): text
        }
    }
}
