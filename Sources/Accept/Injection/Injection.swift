import Address
import ByteText
import Envelope
import MessageComposition
import Posix
import QueueClient

/// Why a message is not sent, as an exit code and words.
struct InjectFailure: Error {
    /// 100 when it never will be, 111 when it may be later.
    let code: Int32
    let text: [UInt8]

    static let permanent: Int32 = 100
    static let temporary: Int32 = 111

    init(_ code: Int32, _ text: [UInt8]) {
        self.code = code
        self.text = text
    }

    init(_ code: Int32, _ text: StaticString) { self.init(code, [UInt8](text)) }

    init(_ verb: StaticString, _ reason: Errno) {
        self.init(Self.temporary, [UInt8](verb) + [UInt8](": ") + reason.text)
    }
}

/// One message on its way from a descriptor into the queue.
struct Injection: ~Copyable {
    private let options: InjectOptions
    private let settings: InjectSettings
    private let source: FileDescriptor
    private var reader = HeaderReader()
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// A message that comes from a descriptor.
    init(
        _ options: InjectOptions, _ settings: InjectSettings, from source: consuming FileDescriptor
    ) {
        self.options = options
        self.settings = settings
        self.source = source
    }

    /// Queue it, or print it.
    mutating func run(_ environment: Environment) throws(InjectFailure) {
        // Arguments first: a mistake in them need not wait for the message.
        let arguments = try argumentRecipients()
        let sender = try optionSender()
        try readHeader()
        let composed = try compose()
        let recipients = (arguments + composed.recipients).withoutRepetitions
        var head = composed.header
        head.append(10)
        if options.isPrinted {
            try print(head)
            return
        }
        guard !recipients.isEmpty else {
            throw InjectFailure(InjectFailure.permanent, "no recipients")
        }
        try queue(
            head, envelope(from: sender ?? self.sender(composed), to: recipients), environment)
    }

    private func argumentRecipients() throws(InjectFailure) -> [MailAddress] {
        guard options.usesArguments else { return [] }
        var recipients: [MailAddress] = []
        for word in options.addresses {
            guard let address = MailAddress(raw: word) else {
                throw InjectFailure(
                    InjectFailure.permanent,
                    [UInt8]("this is no address: ") + word.map { $0.isPrintable ? $0 : 63 })
            }
            recipients.append(settings.composition.completion.completed(address))
        }
        return recipients
    }

    /// The sender by -f; nil when it was not given.
    private func optionSender() throws(InjectFailure) -> [UInt8]? {
        guard let word = options.sender?.trimmed else { return nil }
        if word.isEmpty || word.equals("<>") { return [] }
        guard let address = MailAddress(raw: word) else {
            throw InjectFailure(
                InjectFailure.permanent,
                [UInt8]("this is no sender: ") + word.map { $0.isPrintable ? $0 : 63 })
        }
        return settings.composition.completion.completed(address).envelope
    }

    private func sender(_ composed: HeaderComposition.Composed) -> [UInt8] {
        guard settings.composition.needsReturnPath else { return settings.sender }
        return switch composed.returnPath {
        case .missing: settings.sender
        case .null: []
        case .address(let address): address.envelope
        }
    }

    private mutating func readHeader() throws(InjectFailure) {
        while !reader.isOver {
            let count = try read()
            if count == 0 { break }
            do throws(HeaderReader.TooLong) { try reader.push(buffer[..<count]) } catch {
                throw InjectFailure(InjectFailure.permanent, "the header is too long")
            }
        }
        reader.finish()
    }

    private mutating func read() throws(InjectFailure) -> Int {
        do throws(Errno) { return try source.read(into: &buffer) } catch {
            throw InjectFailure("unable to read the message", error)
        }
    }

    private func compose() throws(InjectFailure) -> HeaderComposition.Composed {
        var composition = settings.composition
        composition.needsRecipients = options.usesHeader
        if options.sender != nil { composition.needsReturnPath = false }
        do throws(HeaderComposition.Flaw) {
            return try composition.compose(reader.fields)
        } catch {
            let line = error.field.bytes.map { $0.isPrintable || $0 == 10 ? $0 : 63 }
            throw InjectFailure(
                InjectFailure.permanent,
                [UInt8]("unable to parse this line, ") + [UInt8](error.flaw.reason)
                    + [UInt8](":\n") + Array(line.prefix(1000)).trimmed)
        }
    }

    private func envelope(from sender: [UInt8], to recipients: [MailAddress]) -> [UInt8] {
        var envelope = EnvelopeWriter(from: sender, settings.ofMessage)
        for recipient in recipients { envelope.add(recipient.envelope, settings.ofRecipient) }
        return envelope.bytes
    }

    private mutating func print(_ head: [UInt8]) throws(InjectFailure) {
        var lines = BodyLines()
        let output = FileDescriptor(adopting: 1)
        var next = head + lines.push(reader.body[...])
        do throws(Errno) {
            while true {
                try output.write(next)
                let count = try source.read(into: &buffer)
                if count == 0 { break }
                next = lines.push(buffer[..<count])
            }
            try output.write(lines.finish())
        } catch {
            throw InjectFailure("unable to copy the message", error)
        }
    }

    private mutating func queue(
        _ head: [UInt8], _ envelope: [UInt8], _ environment: Environment
    ) throws(InjectFailure) {
        var lines = BodyLines()
        var run: QueueRun
        do throws(Errno) {
            run = try QueueRun(program: settings.queueProgram, environment: environment)
        } catch {
            throw InjectFailure(InjectFailure.temporary, QueueFailure(.execQueue).text)
        }
        run.write(head + lines.push(reader.body[...]))
        while true {
            let count: Int
            do throws(Errno) { count = try source.read(into: &buffer) } catch {
                run.abandon()
                throw InjectFailure("unable to read the message", error)
            }
            if count == 0 { break }
            run.write(lines.push(buffer[..<count]))
        }
        run.write(lines.finish())
        let result = run.finish(envelope: envelope)
        if let failure = QueueFailure(result) {
            throw InjectFailure(
                failure.isTemporary ? InjectFailure.temporary : InjectFailure.permanent,
                failure.text)
        }
        guard let warning = result.report?.warning, !warning.isEmpty else { return }
        FileDescriptor.tell(
            [UInt8]("qmail-inject: warning: ") + warning.singleLine + [10], on: 2)
    }
}

extension [MailAddress] {
    /// Each address where it stands first; in a domain the case of letters does not count.
    fileprivate var withoutRepetitions: [MailAddress] {
        let keys = map { [UInt8]($0.domain ?? []).lowercased + [UInt8(ascii: "@")] + $0.localPart }
        let order = indices.sorted {
            keys[$0] == keys[$1] ? $0 < $1 : keys[$0].lexicographicallyPrecedes(keys[$1])
        }
        var isRepetition = [Bool](repeating: false, count: count)
        for (one, next) in zip(order, order.dropFirst()) where keys[one] == keys[next] {
            isRepetition[next] = true
        }
        return indices.filter { !isRepetition[$0] }.map { self[$0] }
    }
}
