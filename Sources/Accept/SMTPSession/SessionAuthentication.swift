import ByteText
package import ControlFiles
package import Posix
import SMTPGrammar

extension SessionSettings {
    /// How clients prove who they are.
    package struct Authentication: Sendable {
        /// The checkpassword program and its arguments; none: there is no AUTH.
        package var command: [[UInt8]] = []
        /// The number of wrong passwords that ends the session.
        package var failureLimit = 4
        /// Seconds for the program to answer.
        package var timeLimit = 60
    }

    /// Read what concerns AUTH and XCLIENT.
    package mutating func setAuthentication(
        _ control: Control, _ environment: Environment, command: [[UInt8]]
    ) throws(ControlFailure) {
        dialogue.requiresAuthentication = !(environment["REQUIREAUTH"] ?? []).isEmpty
        dialogue.believesClaims = !(environment["XCLIENT"] ?? []).isEmpty
        // Most sessions are without AUTH and need not look at its files.
        if command.isEmpty { return }
        authentication.command = command
        dialogue.hasAuthentication = true
        if let limit = try control.number("maxauthfailures"), limit > 0 {
            authentication.failureLimit = limit
        }
        if let limit = try control.number("timeoutcheckpassword"), limit > 0 {
            authentication.timeLimit = min(limit, 240)
        }
        let isOpen = try control.isOn("authloopback")
        // A proxy elsewhere may name a client here, but its connection is not.
        dialogue.allowsOpenLogin =
            isOpen
            && [peer.address, environment.proxy ?? peer.address].allSatisfy {
                IPAddress($0)?.isLoopback == true
            }
    }
}

// AUTH.
extension Session where Stream: ~Copyable {
    /// What qmail-queue gets: an authenticated user's own settings, if there are such.
    ///
    /// The connection's variables stay as they are, for the next client of a proxy or the session under TLS.
    var messageEnvironment: Environment {
        guard !dialogue.user.isEmpty else { return environment }
        var changed = environment
        changed.set("RELAYCLIENT", [])
        // What tcpserver asked of the client's machine is only a claim, and this is not.
        changed.set("TCPREMOTEINFO", dialogue.user)
        if let onError = environment["AUTHQHPSIONERROR"] { changed.set("QHPSIONERROR", onError) }
        if let reject = environment["AUTHREJECTVIRUS"] { changed.set("REJECTVIRUS", reject) }
        return changed
    }

    /// Not nil: every recipient is taken, with this after the address.
    var relaySuffix: [UInt8]? { dialogue.user.isEmpty ? settings.relaySuffix : [] }

    /// Have a client's word for who it is checked; a wrong one is answered slowly.
    mutating func answer(login: Login) throws(Errno) -> Reply {
        let answer = check(login)
        let reply =
            switch answer {
            case .accepted: dialogue.accept()
            case .refused: Reply(535, "5.7.8", "user name or password is wrong")
            case .failed: Reply(454, "4.7.0", "passwords cannot be checked now, try again later")
            }
        var reason: [UInt8] = []
        if case .failed(let text) = answer { reason = text }
        if login.isForAnother(owning: settings.isOwn) {
            reason = [UInt8]("wants to act for ") + login.actingFor
        }
        log.user = dialogue.user
        log.login(login, helo: dialogue.clientName, reply: reply, reason: reason)
        if answer == .refused { try delayFailedLogin() }
        return reply
    }

    private func check(_ login: Login) -> PasswordCheck.Answer {
        if login.isForAnother(owning: settings.isOwn) || !login.isPlausible {
            return .refused
        }
        let check = PasswordCheck(
            command: settings.authentication.command, environment: environment,
            timeLimit: settings.authentication.timeLimit)
        return check.answer(user: login.user, password: login.password)
    }

    /// Guessing passwords takes its time, twice as much after each wrong one.
    private mutating func delayFailedLogin() throws(Errno) {
        failedLogins += 1
        try flush()
        let seconds = 1 << min(failedLogins - 1, 5)
        // When the process is to end, the session soon will: then nothing is gained by waiting.
        _ = try Polling.wait(
            for: termination.rawValue, .readable, until: Deadline(milliseconds: seconds * 1000))
    }

    /// The end of a client that has given too many wrong passwords.
    var refusalOfGuessing: Reply? {
        failedLogins >= settings.authentication.failureLimit
            ? Reply(421, "4.7.0", "too many wrong passwords, bye") : nil
    }
}
