import ByteText

/// The questions and answers after AUTH; RFC 4954 §4.
struct AuthenticationExchange {
    /// What an answer of the client leads to.
    enum Step: Equatable {
        /// The next question, in base64.
        case question([UInt8])
        case login(Login)
        case malformed
    }

    private let mechanism: Login.Mechanism
    private var user: [UInt8]?

    /// The exchange of a mechanism; nil when it is not known.
    init?(_ name: [UInt8]) {
        if name.equalsIgnoringCase("PLAIN") {
            mechanism = .plain
        } else if name.equalsIgnoringCase("LOGIN") {
            mechanism = .login
        } else {
            return nil
        }
    }

    /// The question for a client that has said nothing beside the mechanism, in base64.
    var firstQuestion: [UInt8] {
        switch mechanism {
        case .plain: []
        case .login: [UInt8]("VXNlcm5hbWU6")  // Username:
        }
    }

    /// Take an answer, in base64.
    mutating func take(_ text: [UInt8]) -> Step {
        guard let answer = Base64.decoded(text) else { return .malformed }
        switch mechanism {
        case .plain:
            guard let login = Login(plain: answer) else { return .malformed }
            return .login(login)
        case .login:
            guard let user else {
                user = answer
                return .question([UInt8]("UGFzc3dvcmQ6"))  // Password:
            }
            return .login(Login(user: user, password: answer))
        }
    }
}
