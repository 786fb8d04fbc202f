import ByteText

// The message.
extension Dialogue {
    mutating func begin(_ decoder: MessageDecoder) {
        self.decoder = decoder
        hops = HopCounter()
        flaw = nil
    }

    mutating func nextOfMessage() -> Event? {
        var content: [UInt8] = []
        content.reserveCapacity(input.count - position)
        let isOver = decoder.decode(input, at: &position, into: &content)
        if isOver { return end(content) }
        return goOn(content)
    }

    /// The event for the last piece of a message.
    private mutating func end(_ content: [UInt8]) -> Event {
        hops.count(content)
        flaw = presentFlaw
        phase = .commands
        reset()
        let end = Event.end(MessageSummary(octets: decoder.octets, flaw: flaw))
        if flaw != nil || content.isEmpty { return end }
        held = end
        return .content(content)
    }

    /// The event for a piece that is not the last.
    private mutating func goOn(_ content: [UInt8]) -> Event? {
        hops.count(content)
        let wasSpoiled = flaw != nil
        flaw = presentFlaw
        guard let flaw else { return content.isEmpty ? nil : .content(content) }
        if !wasSpoiled {
            octetLimit = Self.octetLimit(settings, read: decoder.octets)
            return .spoiled
        }
        if decoder.octets <= octetLimit { return nil }
        return .cutOff(MessageSummary(octets: decoder.octets, flaw: flaw))
    }

    /// How many octets are read of what is refused; RFC 5321 §4.5.3.1.9.
    ///
    /// A client hears the refusal only when it has sent all, so it gets the chance to, but not without an end.
    private static func octetLimit(_ settings: Settings, read octets: Int) -> Int {
        settings.sizeLimit > 0
            ? max(settings.sizeLimit, octets) + excessLimit : octets + droppedLimit
    }

    /// How many octets past the size limit are still read.
    private static var excessLimit: Int { 8 << 20 }
    /// How many octets are still read where there is no size limit.
    private static var droppedLimit: Int { 64 << 20 }

    /// What is to be answered when the rest of what is refused is not waited for any more.
    package enum Answer {
        /// What becomes of the message.
        case message(MessageSummary)
        /// That the chunk was not wanted.
        case refusal(Reply)
    }

    /// The answer to what has come so far, after which the connection is closed.
    package func cutOff() -> Answer {
        if case .refusedChunk(_, let reply) = phase { return .refusal(reply) }
        return .message(MessageSummary(octets: decoder.octets, flaw: flaw))
    }

    /// The worst of the flaws so far, so that the answer does not depend on how the bytes were cut.
    private var presentFlaw: MessageFlaw? {
        if decoder.hasBareLineFeed { return .bareLineFeed }
        if settings.sizeLimit > 0, decoder.octets > settings.sizeLimit { return .tooBig }
        return hops.hops >= settings.hopLimit ? .looping : nil
    }
}

// Chunks.
extension Dialogue {
    mutating func chunk(_ size: Int, isLast: Bool) -> Event? {
        let refusal: Reply? =
            !hasSender
            ? .outOfOrder("say MAIL first") : recipients == 0 ? .noRecipients : nil
        if let refusal {
            octetLimit = Self.octetLimit(settings, read: 0)
            phase = .refusedChunk(size, refusal)
            return nil
        }
        phase = .chunk(size, isLast: isLast)
        if isChunked { return nil }
        isChunked = true
        begin(MessageDecoder(isChunked: true))
        return .chunkedMessage
    }

    mutating func nextOfChunk(_ size: Int, isLast: Bool) -> Event? {
        let count = min(size, input.count - position)
        if count == 0 && size > 0 { return .needInput }
        var content: [UInt8] = []
        content.reserveCapacity(count + 2)
        _ = decoder.decode(input, at: &position, upTo: position + count, into: &content)
        phase = .chunk(size - count, isLast: isLast)
        if count < size { return goOn(content) }
        if isLast {
            decoder.finish(into: &content)
            return end(content)
        }
        let event = goOn(content)
        // RFC 3030 §2: the client gives the message up after a refusal, so that is its end.
        if flaw != nil { return end([]) }
        phase = .commands
        let reply = Event.reply(Reply(250, "2.0.0", "chunk received"))
        if event == nil { return reply }
        held = reply
        return event
    }

    /// What comes in a chunk is never a command, whatever is thought of it.
    mutating func nextOfRefusedChunk(_ size: Int, _ reply: Reply) -> Event? {
        let count = min(size, input.count - position)
        if count == 0 && size > 0 { return .needInput }
        position += count
        phase = count < size ? .refusedChunk(size - count, reply) : .commands
        if count == size { return .reply(reply) }
        octetLimit -= count
        return octetLimit < 0 ? .sendAway(reply) : nil
    }
}
