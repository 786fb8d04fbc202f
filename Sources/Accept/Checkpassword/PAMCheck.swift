import ByteText
import CPAM

/// The question whether a password is right and its account may be used, put to PAM; see pam(3).
enum PAMCheck {
    /// What came of it.
    enum Answer {
        /// The user, by the name that PAM gave him in the end.
        case accepted(user: [UInt8])
        /// Wrong password, no such user, locked or expired: nobody is told which.
        case refused
        /// Nothing can be said, for this reason.
        case failed(reason: [UInt8])
    }

    /// The name of the file in /etc/pam.d.
    private static let service: StaticString = "qhpsi"

    /// Ask.
    ///
    /// - Parameters:
    ///   - question: Whom it is about.
    ///   - host: The client's address, for modules that look at it; nil: not known.
    /// - Returns: The answer.
    static func answer(_ question: PasswordQuestion, from host: [UInt8]?) -> Answer {
        terminated(question.password) { password in
            terminated(question.user) { user in
                terminated([UInt8](service)) { service in
                    var handle: OpaquePointer?
                    var status = cpam_start(service, user, password, &handle)
                    guard let handle else { return answer(status, nil) }
                    if status == PAM_SUCCESS, let host {
                        status = terminated(host) { pam_set_item(handle, PAM_RHOST, $0) }
                    }
                    if status == PAM_SUCCESS { status = pam_authenticate(handle, silently) }
                    if status == PAM_SUCCESS { status = pam_acct_mgmt(handle, silently) }
                    let result = answer(status, handle)
                    _ = pam_end(handle, status)  // There is nothing left to be done about it.
                    return result
                }
            }
        }
    }

    /// Modules say nothing, and no empty password is right.
    private static var silently: Int32 { Int32(bitPattern: PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK) }

    private static func answer(_ status: Int32, _ handle: OpaquePointer?) -> Answer {
        switch status {
        case PAM_SUCCESS:
            var user: UnsafeRawPointer?
            guard let handle, pam_get_item(handle, PAM_USER, &user) == PAM_SUCCESS, let user
            else { return .failed(reason: [UInt8]("PAM gives no user")) }
            return .accepted(user: [UInt8](cString: user.assumingMemoryBound(to: CChar.self)))
        case PAM_OPEN_ERR, PAM_SYMBOL_ERR, PAM_SERVICE_ERR, PAM_SYSTEM_ERR, PAM_BUF_ERR,
            PAM_CONV_ERR, PAM_AUTHINFO_UNAVAIL, PAM_ABORT, PAM_MODULE_UNKNOWN, PAM_BAD_ITEM:
            guard let words = pam_strerror(handle, status) else { return .failed(reason: []) }
            return .failed(reason: [UInt8](cString: words))
        default: return .refused
        }
    }

    /// Hand bytes to a call as a C string that is wiped afterwards.
    private static func terminated<Value>(
        _ text: [UInt8], _ body: (UnsafePointer<CChar>) -> Value
    ) -> Value {
        var copy = text + [0]
        defer { copy.wipe() }
        return copy.span.withUnsafeBytes { raw in
            guard let base = raw.assumingMemoryBound(to: CChar.self).baseAddress else {
                return body("")
            }
            return body(base)
        }
    }
}
