import ByteText
package import Envelope
package import Posix

/// A running qmail-queue that takes one message.
///
/// Whatever it does, the client's bytes go on being read: a program that ended early is asked for its exit
/// code when the message is over. Without `finish` it is never given a whole envelope, so it queues nothing.
package struct QueueRun: ~Copyable {
    /// How it ended.
    package struct Result {
        /// How the process ended.
        package let ending: Child.Ending
        /// Whether it took the whole message and envelope.
        package let isComplete: Bool
        /// What it wrote as a text for the client.
        package let text: [UInt8]
        /// Its report; nil when it wrote none, for instance because it was killed.
        package let report: QueueReport?
    }

    /// The process's id, for the reply and the log.
    package let identifier: Int32
    private var message: FileDescriptor?
    private var envelope: FileDescriptor?
    private var text: Gathered
    private var report: Gathered
    private var isComplete = true

    /// The most bytes of a text for the client; see qmail-queue(8).
    private static let textLimit = 1023
    /// Milliseconds of silence after which it is looked whether the program has ended.
    private static let patience = 1000

    /// Start it; see qmail-queue(8).
    ///
    /// - Parameters:
    ///   - program: Its path.
    ///   - environment: What it runs with.
    ///   - original: The queue's message that is sent on, a file; nil for any other.
    /// - Throws: When there is no program, memory or process for it.
    package init(
        program: [UInt8], environment: Environment, original: Int32? = nil
    ) throws(Errno) {
        let message = try Pipe()
        let envelope = try Pipe()
        let text = try Pipe()
        let report = try Pipe()
        try message.writing.setNonBlocking(true)
        try envelope.writing.setNonBlocking(true)
        var environment = environment
        environment.set("ERROR_FD", [UInt8]("3"))
        environment.set(QueueReport.variable, [UInt8]("4"))
        environment.set(QueueReport.originalVariable, original == nil ? nil : [UInt8]("5"))
        let launch = Launch(
            program, arguments: [program], environment: environment,
            descriptors: [
                message.reading.rawValue, envelope.reading.rawValue, 2, text.writing.rawValue,
                report.writing.rawValue,
            ] + (original.map { [$0] } ?? []))
        identifier = try launch.start().identifier
        self.message = consume message.writing
        self.envelope = consume envelope.writing
        self.text = Gathered(text.reading, limit: Self.textLimit)
        self.report = Gathered(report.reading, limit: QueueReport.sizeLimit)
    }

    /// Give it more of the message, unless it has stopped taking it: then false.
    @discardableResult
    package mutating func write(_ bytes: [UInt8]) -> Bool {
        if isComplete { isComplete = Self.send(bytes, to: &message, text: &text, report: &report) }
        return isComplete
    }

    /// Give it the envelope and wait for its end.
    package consuming func finish(envelope bytes: [UInt8]) -> Result {
        message = nil
        if isComplete {
            isComplete = Self.send(bytes, to: &envelope, text: &text, report: &report)
        }
        return end()
    }

    /// Let it end without an envelope, so that it queues nothing, and wait for that.
    package consuming func abandon() {
        isComplete = false
        // The envelope first: when the message ends, its missing envelope is already to be seen.
        envelope = nil
        message = nil
        _ = end()
    }

    private consuming func end() -> Result {
        envelope = nil
        let child = Child(identifier: identifier)
        let ending: Child.Ending
        do throws(Errno) {
            var early: Child.Ending?
            while early == nil, !text.isOver || !report.isOver {
                let isSilent = !Self.read(
                    &text, &report, or: nil, until: Deadline(milliseconds: Self.patience))
                // A descendant that holds the pipes open must not hold the client.
                if isSilent { early = try child.endingIfOver() }
            }
            if let early { ending = early } else { ending = try child.wait() }
        } catch {
            ending = .exited(QueueExit.wait.rawValue)
        }
        return Result(
            ending: ending, isComplete: isComplete, text: text.bytes,
            report: QueueReport(report.bytes))
    }

    /// Write all of it to a pipe and read what the program says meanwhile, so that neither waits for ever.
    private static func send(
        _ bytes: [UInt8], to target: inout FileDescriptor?, text: inout Gathered,
        report: inout Gathered
    ) -> Bool {
        var done = 0
        while done < bytes.count {
            do throws(Errno) {
                done += try target?.write(once: bytes.span.bytes.extracting(done...)) ?? 0
            } catch {
                guard error == .wouldBlock, let number = target.number else {
                    target = nil
                    return false
                }
                _ = read(&text, &report, or: number, until: nil)
            }
        }
        return true
    }

    /// Wait until something can be read, or written to the descriptor, and read it; false when the time is over.
    private static func read(
        _ text: inout Gathered, _ report: inout Gathered, or target: Int32?,
        until deadline: Deadline?
    ) -> Bool {
        var wanted: [(fd: Int32, interest: Polling.Interest)] = []
        if let number = text.source.number { wanted.append((number, .readable)) }
        if let number = report.source.number { wanted.append((number, .readable)) }
        if let target { wanted.append((target, .writable)) }
        do throws(Errno) {
            let ready = try Polling.waitForSome(wanted, until: deadline)
            for i in ready {
                if text.source.number == wanted[i].fd {
                    text.read()
                } else if report.source.number == wanted[i].fd {
                    report.read()
                }
            }
            return !ready.isEmpty
        } catch {
            // There is no memory for poll(2) now.
            Clock.sleep(milliseconds: patience)
            return false
        }
    }
}

/// What comes out of a pipe, up to a limit; the rest is read and dropped.
private struct Gathered: ~Copyable {
    var source: FileDescriptor?
    var bytes: [UInt8] = []
    let limit: Int

    init(_ source: consuming FileDescriptor, limit: Int) {
        self.source = consume source
        self.limit = limit
    }

    var isOver: Bool { source.number == nil }

    mutating func read() {
        var buffer = [UInt8](repeating: 0, count: 1024)
        do throws(Errno) {
            let count = try source?.read(into: &buffer) ?? 0
            if count == 0 { source = nil }
            bytes.append(contentsOf: buffer.prefix(min(count, limit - bytes.count)))
        } catch {
            // A pipe that cannot be read has no more to say.
            source = nil
        }
    }
}

extension Optional where Wrapped == FileDescriptor {
    /// The number of the descriptor, nil when it is closed.
    fileprivate var number: Int32? {
        switch self {
        case .some(let descriptor): descriptor.rawValue
        case .none: nil
        }
    }
}
