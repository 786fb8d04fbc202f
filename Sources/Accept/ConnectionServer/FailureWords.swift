import ByteText
import Posix

extension Errno {
    /// The reason in the words that ucspi-tcp's log lines have, which programs that read them may know.
    var words: [UInt8] {
        let words: StaticString? =
            switch self {
            case .noMemory: "out of memory"
            case .noSuchFile: "file does not exist"
            case .inputOutput: "input/output error"
            case .timedOut: "timed out"
            case .wouldBlock: "temporary failure"
            case .brokenPipe: "broken pipe"
            case .notPermitted: "permission denied"
            case .accessDenied: "access denied"
            case .protocolError: "protocol error"
            case .isDirectory: "is a directory"
            case .argumentsTooLong: "argument list too long"
            case .notExecutable: "exec format error"
            case .badDescriptor: "file descriptor not open"
            case .notDirectory: "not a directory"
            case .invalid: "invalid argument"
            case .noAddress: "address not available"
            case .addressInUse: "address already used"
            default: nil
            }
        return words.map { [UInt8]($0) } ?? text
    }
}
