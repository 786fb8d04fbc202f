import ByteText
import Posix
import Schedule
import SendQueue

/// What qmail-send has written and waits for to be on the disk, in the order in which the syncer was asked.
struct Syncs: ~Copyable {
    /// What is done when the files are on the disk, or known not to be.
    enum Purpose {
        /// A message leaves todo/; its recipients of these channels are due at a time in seconds since 1970.
        ///
        /// With `wasTried` the first attempt is over, and what cannot be written now is tried when they are due.
        case takeOver([Channel], due: Int, wasTried: Bool)
        /// A message of which nobody is left leaves todo/.
        case close
        /// What a sender is to be told of a delivery: its record begins here in bounce/.
        case notice(Channel, Delivery, record: Int, isSuccess: Bool)
    }

    /// One of them.
    struct Sync {
        let key: MessageKey
        let files: UnsyncedFiles
        let purpose: Purpose
    }

    private var asked: [Sync] = []
    private var first = 0
    private var answers: [UInt8] = []
    /// Messages whose take-over is asked for: they may be in info/ already.
    private var leaving = MessageSet()
    var output: OutputPipe
    let input: FileDescriptor
    /// Whether the syncer is gone.
    private(set) var isLost = false

    init(_ ends: consuming Syncer.Ends) throws(Errno) {
        try ends.output.setNonBlocking(true)
        try ends.input.setNonBlocking(true)
        output = OutputPipe(ends.output)
        input = ends.input
    }

    /// Whether nothing is outstanding.
    var isEmpty: Bool { first == asked.count }

    /// Whether the message is on its way from todo/ into info/.
    func isTakingOver(_ key: MessageKey) -> Bool { leaving.contains(key) }

    /// Ask for files to be put on the disk.
    mutating func ask(_ sync: Sync) {
        output.append(SyncRequest(sync.files, queue: sync.key.queue, id: sync.key.id).encoded)
        asked.append(sync)
        if sync.files != .notice { leaving.insert(sync.key) }
    }

    /// Let all recipients of messages that are being taken over be due at once.
    mutating func makeAllDue() {
        for i in asked.indices.dropFirst(first) {
            guard case .takeOver(let channels, let due, let wasTried) = asked[i].purpose, due > 0
            else { continue }
            let purpose = Purpose.takeOver(channels, due: 1, wasTried: wasTried)
            asked[i] = Sync(key: asked[i].key, files: asked[i].files, purpose: purpose)
        }
    }

    /// Take bytes of the syncer.
    ///
    /// - Returns: What is over, and why it failed if it did.
    mutating func take(_ bytes: [UInt8]) -> [(sync: Sync, failure: Errno?)] {
        answers += bytes
        var over: [(sync: Sync, failure: Errno?)] = []
        var used = 0
        while answers.count - used >= SyncRequest.answerSize, let sync = next() {
            let number = Int32(answers[used]) | Int32(answers[used + 1]) << 8
            over.append((sync, number == 0 ? nil : Errno(rawValue: number)))
            used += SyncRequest.answerSize
        }
        answers.removeFirst(used)
        return over
    }

    /// The syncer is gone: nobody knows whether what it had not answered is on the disk.
    mutating func lose() -> [(sync: Sync, failure: Errno?)] {
        isLost = true
        var over: [(sync: Sync, failure: Errno?)] = []
        while let sync = next() { over.append((sync, .brokenPipe)) }
        return over
    }

    private mutating func next() -> Sync? {
        guard first < asked.count else { return nil }
        let sync = asked[first]
        first += 1
        if first == asked.count {
            asked.removeAll(keepingCapacity: true)
            first = 0
        }
        if sync.files != .notice { leaving.remove(sync.key) }
        return sync
    }
}

// What follows when files are on the disk, or known not to be.
extension Sender {
    /// Ask the syncer; when it is gone the answer is that at once.
    func sync(_ key: MessageKey, _ files: UnsyncedFiles, _ purpose: Syncs.Purpose) {
        let sync = Syncs.Sync(key: key, files: files, purpose: purpose)
        if syncs.isLost { return go(on: sync, .brokenPipe) }
        syncs.ask(sync)
    }

    /// Take answers of the syncer.
    func takeSyncs(_ bytes: [UInt8]) {
        for answer in syncs.take(bytes) { go(on: answer.sync, answer.failure) }
    }

    /// The syncer is gone: nothing more can be put on the disk by this process.
    func loseSyncer() {
        for left in syncs.lose() { go(on: left.sync, left.failure) }
    }

    private func go(on sync: Syncs.Sync, _ failure: Errno?) {
        switch sync.purpose {
        case .takeOver(let channels, let due, let wasTried):
            if let failure {
                broken.insert(sync.key)
                notTakenOver(sync.key, due: due, wasTried: wasTried, channels, failure)
            } else {
                takenOver(sync.key, channels, due: due)
            }
        case .close:
            if let failure {
                waitToClose(sync.key, failure)
            } else {
                closed(sync.key)
            }
        case .notice(let channel, let delivery, let record, let isSuccess):
            noted(channel, delivery, record: record, isSuccess: isSuccess, failure)
        }
    }
}
