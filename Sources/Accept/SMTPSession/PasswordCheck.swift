import ByteText
import Posix

/// One question to a checkpassword program, whether this is the user's password.
///
/// The program gets the question on descriptor 3 and answers with its exit code; see
/// http://cr.yp.to/checkpwd/interface.html. It has nothing of the SMTP connection, and is gone at the end with
/// all of its process group.
struct PasswordCheck {
    /// What came of it.
    enum Answer: Equatable {
        case accepted
        case refused
        /// Nothing can be said, for this reason.
        case failed(reason: [UInt8])
    }

    /// The program and its arguments, at least one.
    let command: [[UInt8]]
    let environment: Environment
    /// Seconds after which the program is killed.
    let timeLimit: Int

    /// The most bytes of a question.
    private static let questionLimit = 512

    /// Ask about a user and password without NULs in them.
    func answer(user: [UInt8], password: [UInt8]) -> Answer {
        var question = user + [0] + password + [0, 0]
        defer { question.wipe() }
        if question.count > Self.questionLimit { return .refused }
        let ending: Child.Ending?
        do throws(Errno) { ending = try run(question) } catch {
            return .failed(reason: [UInt8]("unable to run the program: ") + error.text)
        }
        switch ending {
        case .exited(0): return .accepted
        case .exited(1): return .refused
        case .exited(2): return .failed(reason: [UInt8]("the program was misused"))
        case .exited(let code):
            return .failed(reason: [UInt8]("the program's exit code was ") + [UInt8](decimal: code))
        case .killed(let signal):
            return .failed(
                reason: [UInt8]("the program was killed by signal ") + [UInt8](decimal: signal))
        case nil: return .failed(reason: [UInt8]("the program did not answer in time"))
        }
    }

    /// How it ended; nil: it did not in time, and was killed.
    private func run(_ question: [UInt8]) throws(Errno) -> Child.Ending? {
        let input = try Pipe()
        // A pipe takes 4096 bytes without a reader.
        try input.writing.write(question)
        let reading = input.keepReading()
        let nothing = try FileDescriptor.open([UInt8]("/dev/null"), .readWrite)
        let folders = environment["PATH"] ?? [UInt8]("/usr/sbin:/usr/bin:/sbin:/bin")
        guard let program = Files.program(command[0], in: folders) else { throw .noSuchFile }
        var launch = Launch(
            program, arguments: command, environment: environment,
            descriptors: [nothing.rawValue, nothing.rawValue, 2, reading.rawValue])
        launch.newGroup = true
        let endings = try Signal.queue([.childEnded])
        let child = try launch.start()
        let isOver: Bool
        do throws(Errno) {
            isOver = try waitForEnd(of: child, endings, seconds: timeLimit)
        } catch {
            child.killGroup()
            _ = try child.wait()
            throw error
        }
        // The group goes before the child is waited for: until then its number is not reused.
        child.killGroup()
        if isOver { return try child.wait() }
        // A program that has become another user cannot be killed: then the session's end frees it.
        if try waitForEnd(of: child, endings, seconds: 1) { _ = try child.wait() }
        return nil
    }

    private func waitForEnd(
        of child: Child, _ endings: borrowing FileDescriptor, seconds: Int
    ) throws(Errno) -> Bool {
        let deadline = Deadline(milliseconds: seconds * 1000)
        while try !child.hasEnded() {
            guard try Polling.wait(for: endings.rawValue, .readable, until: deadline) else {
                return false
            }
            // It may be about a child before this one.
            while try endings.nextSignal() != nil {}
        }
        return true
    }
}
