import ByteText
import ControlFiles
package import Posix

/// The program qhpsi-checkpassword.
package enum CheckpasswordProgram {
    /// Check the user and password on descriptor 3; when they are right, run the arguments.
    ///
    /// - Parameters:
    ///   - arguments: The program's name, `-n` if ids are to stay, and what to run.
    ///   - environment: The caller's variables.
    /// - Returns: The exit code of qhpsi-checkpassword(8): it comes back only when nothing was run.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> Int32 {
        let start = Clock.milliseconds
        do throws(CheckpasswordFailure) {
            let keepsIDs = arguments.count > 1 && arguments[1].equals("-n")
            let command = Array(arguments.dropFirst(keepsIDs ? 2 : 1))
            guard let name = command.first, name.first != UInt8(ascii: "-") else {
                throw .misused([UInt8]("usage: qhpsi-checkpassword [-n] PROGRAM [ARGUMENT...]"))
            }
            try confine()
            try checkCaller(environment)
            let variables = cleaned(environment)
            try attempting("set the variables") { () throws(Errno) in
                try Process.setVariables(variables)
            }
            let session = try login(variables, keepsIDs: keepsIDs)
            try become(session)
            try execute(command, session, variables)
        } catch {
            if error.isRefusal { delay(since: start) }
            if !error.text.isEmpty {
                FileDescriptor.tell(
                    [UInt8]("qhpsi-checkpassword: ") + error.text + [UInt8]("\n"), on: 2)
            }
            return error.code
        }
    }

    /// Seconds for PAM and all its modules; qmail-smtpd waits a bit longer.
    private static let timeLimit: UInt32 = 50
    /// Milliseconds after which a refusal is said, whatever it is for.
    private static let refusalDelay = 2000
    private static let searchPath: StaticString = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

    /// Who has logged in.
    private struct Session {
        let name: [UInt8]
        /// Nil: the program runs with the caller's ids.
        let user: NameServiceUser?
    }

    /// Nothing of the caller's but descriptors 0 to 3 comes in, and no password goes out in a core file.
    private static func confine() throws(CheckpasswordFailure) {
        Signal.alarm.exitsProcess(with: CheckpasswordFailure.temporary([]).code)
        Alarm.set(seconds: timeLimit)
        try attempting("prepare the process") { () throws(Errno) in
            try Process.fillStandardDescriptors()
            try Process.closeDescriptors(from: 4)
            try Process.setCoreSize(0)
        }
    }

    /// Local users must not be able to try passwords.
    private static func checkCaller(_ environment: Environment) throws(CheckpasswordFailure) {
        if Process.effectiveUser != 0 {
            throw .temporary([UInt8]("this program must be set-uid root, or run by root"))
        }
        if Process.realUser == 0 { return }
        let ids: Identities
        do throws(ControlFailure) {
            ids = try Identities(path: Instance.current(environment).ids, mustBeTrusted: true)
        } catch {
            throw .temporary(error.text)
        }
        if Process.realUser != ids.user("qmaild") {
            throw .misused([UInt8]("only root and qmaild may run this program"))
        }
    }

    /// What of the caller's variables says something of the connection, and nothing else.
    private static func cleaned(_ environment: Environment) -> Environment {
        var kept = environment.filtered { entry in
            entry.starts(with: "TCPREMOTE") || entry.starts(with: "TCPLOCAL")
                || entry.starts(with: "PROTO=")
        }
        kept.set("PATH", [UInt8](searchPath))
        return kept
    }

    private static func login(
        _ variables: Environment, keepsIDs: Bool
    ) throws(CheckpasswordFailure) -> Session {
        var question = try question()
        defer { question.wipe() }
        if !question.isPlausible { throw .refused }
        // Not PAM first: its modules may lock an account out, and nobody shall do that to root from outside.
        _ = try account(of: question.user)
        switch PAMCheck.answer(question, from: variables["TCPREMOTEIP"]) {
        case .refused: throw .refused
        case .failed(let reason):
            throw .temporary([UInt8]("unable to check the password: ") + reason)
        case .accepted(let name):
            // A module of PAM may have given him another name.
            let user = try account(of: name)
            if keepsIDs { return Session(name: name, user: nil) }
            guard let user else { throw .refused }
            return Session(name: name, user: user)
        }
    }

    /// The machine's user of a name; nil when only PAM can know him.
    private static func account(
        of name: [UInt8]
    ) throws(CheckpasswordFailure) -> NameServiceUser? {
        let user = try attempting("look the user up") { () throws(Errno) in
            try NameServiceUser.named(name)
        }
        guard let user, !user.isOrdinary else { return user }
        throw .systemAccount(user: name, uid: user.uid)
    }

    private static func question() throws(CheckpasswordFailure) -> PasswordQuestion {
        let input = FileDescriptor(adopting: 3)
        var bytes: [UInt8]
        do throws(Errno) {
            bytes = try input.readToEnd(limit: PasswordQuestion.limit)
        } catch {
            throw .misused([UInt8]("unable to read descriptor 3: ") + error.text)
        }
        defer { bytes.wipe() }
        guard let question = PasswordQuestion(bytes) else {
            throw .misused([UInt8]("expected user, password and timestamp on descriptor 3"))
        }
        return question
    }

    /// Give root up for good, in this order: supplementary groups, group, user.
    private static func become(_ session: Session) throws(CheckpasswordFailure) {
        try attempting("change the ids") { () throws(Errno) in
            if let user = session.user {
                try Process.setSupplementaryGroups(ofUser: session.name, and: user.gid)
                try Process.setGroup(user.gid)
                try Process.setUser(user.uid)
            } else {
                try Process.setGroup(Process.realGroup)
                try Process.setUser(Process.realUser)
            }
        }
    }

    private static func execute(
        _ command: [[UInt8]], _ session: Session, _ variables: Environment
    ) throws(CheckpasswordFailure) -> Never {
        var variables = variables
        variables.set("USER", session.name)
        if let user = session.user {
            variables.set("HOME", user.home)
            variables.set("SHELL", user.shell)
            try attempting("change to the home folder") { () throws(Errno) in
                try Files.changeDirectory(user.home)
            }
        }
        Alarm.set(seconds: 0)
        var reason = Errno.noSuchFile
        if let file = Files.program(command[0], in: [UInt8](searchPath)) {
            reason = Process.execute(file, arguments: command, environment: variables)
        }
        throw .temporary([UInt8]("unable to run ") + command[0] + [UInt8](": ") + reason.text)
    }

    /// All refusals take the same time, so that it does not tell what they are for.
    private static func delay(since start: Int) {
        let end = start + refusalDelay
        while Clock.milliseconds < end { Clock.sleep(milliseconds: end - Clock.milliseconds) }
    }

    private static func attempting<Value>(
        _ what: StaticString, _ body: () throws(Errno) -> Value
    ) throws(CheckpasswordFailure) -> Value {
        do throws(Errno) { return try body() } catch {
            throw .temporary([UInt8]("unable to ") + [UInt8](what) + [UInt8](": ") + error.text)
        }
    }
}
