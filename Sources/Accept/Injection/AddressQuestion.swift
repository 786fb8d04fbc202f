import ByteText
import Posix

/// Asks qmail-smtpd(8) whether mail for an address can be delivered, in a session that gives it no message.
///
/// So the answer is what a client would hear: by users, aliases, .qmail files and control files.
struct AddressQuestion: ~Copyable {
    /// What is known of an address.
    enum Answer: Equatable {
        /// It is for this server, and somebody has it.
        case here
        /// Mail for its domain goes to other servers, which are not asked.
        case elsewhere
        /// Nobody has it, or it is no address; the server's words.
        case nowhere([UInt8])
        /// It cannot be told now; the server's words.
        case unknown([UInt8])

        /// The exit code of sendmail(8) for it.
        var code: Int32 {
            switch self {
            case .here, .elsewhere: 0
            case .nowhere: InjectFailure.permanent
            case .unknown: InjectFailure.temporary
            }
        }

        /// What is said behind the address.
        var text: [UInt8] {
            switch self {
            case .here: [UInt8]("deliverable here")
            case .elsewhere: [UInt8]("is for other servers, which were not asked")
            case .nowhere(let words): [UInt8]("not deliverable: ") + words
            case .unknown(let words): [UInt8]("cannot be told now: ") + words
            }
        }
    }

    private let commands: FileDescriptor
    private let replies: FileDescriptor
    private let child: Child
    private var received: [UInt8] = []

    /// The most bytes of a line.
    private static let lineLimit = 1 << 16

    /// Begin a session.
    ///
    /// - Parameters:
    ///   - program: qmail-smtpd's path.
    ///   - environment: The variables of a connection; what would hold it up is taken out.
    ///   - isRelayed: Whether it is asked as one who may send to everywhere, or as any other server.
    /// - Throws: When it cannot be run.
    init(_ program: [UInt8], _ environment: Environment, isRelayed: Bool) throws(Errno) {
        var environment = environment
        environment.set("DNSBL", nil)
        environment.set("RELAYCLIENT", isRelayed ? [] : nil)
        environment.set("CHECKRECIPIENT", [UInt8]("2"))
        for name: StaticString in ["GREETDELAY", "TARPITCOUNT"] {
            environment.set(name, [UInt8]("0"))
        }
        let input = try Pipe()
        let output = try Pipe()
        let null = try FileDescriptor.open([UInt8]("/dev/null"), .readWrite)
        // qmail-smtpd logs messages, and this session brings none.
        let launch = Launch(
            program, arguments: [program], environment: environment,
            descriptors: [input.reading.rawValue, output.writing.rawValue, null.rawValue])
        child = try launch.start()
        commands = input.keepWriting()
        replies = output.keepReading()
    }

    /// What becomes of mail for an address.
    mutating func answer(_ address: [UInt8]) throws(Errno) -> Answer {
        if address.contains(where: { $0.isControl }) { return .nowhere([UInt8]("no address")) }
        let sender = try ask([UInt8]("MAIL FROM:<>"))
        guard sender.first == UInt8(ascii: "2") else { return .unknown(sender) }
        let reply = try ask([UInt8]("RCPT TO:<") + address + [UInt8](">"))
        _ = try ask([UInt8]("RSET"))
        if reply.first == UInt8(ascii: "2") { return .here }
        // What a client hears who may not send to everywhere.
        if reply.starts(with: [UInt8]("550 5.7.1")) { return .elsewhere }
        return reply.first == UInt8(ascii: "5") ? .nowhere(reply) : .unknown(reply)
    }

    /// The greeting, or what the server says in its place.
    mutating func greeting() throws(Errno) -> Answer? {
        let line = try reply()
        guard line.first == UInt8(ascii: "2") else { return .unknown(line) }
        let hello = try ask([UInt8]("HELO localhost"))
        return hello.first == UInt8(ascii: "2") ? nil : .unknown(hello)
    }

    /// End the session and wait for its end.
    consuming func finish() throws(Errno) {
        _ = try ask([UInt8]("QUIT"))
        _ = try child.wait()
    }

    private mutating func ask(_ command: [UInt8]) throws(Errno) -> [UInt8] {
        try commands.write(command + [13, 10])
        return try reply()
    }

    /// The last line of a reply, which has no hyphen behind its code.
    private mutating func reply() throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            while let end = received.firstIndex(of: 10) {
                let line = Array(received[..<end]).trimmed
                received.removeFirst(end + 1)
                if line.count < 4 || line[3] != UInt8(ascii: "-") { return line }
            }
            guard received.count < Self.lineLimit else { throw Errno.tooLarge }
            let count = try replies.read(into: &buffer)
            if count == 0 { throw Errno.brokenPipe }
            received += buffer[..<count]
        }
    }
}
