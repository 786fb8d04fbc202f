import ByteText
import DeliveryReport
import Envelope
import Posix
import Schedule

/// A message's recipients of one channel while they are tried; it is not in `DueMessages` meanwhile.
struct Job {
    let key: MessageKey
    let isFresh: Bool
    let sender: [UInt8]
    /// The process that queued it.
    let process: Int
    let recipients: [UInt8]
    /// Where the next recipient's record begins in `recipients`.
    var position: Int
    /// When the message was queued, in seconds since 1970.
    let birth: Int
    /// Whether this is the last attempt.
    let isDying: Bool
    /// Deliveries that have not been reported yet.
    var running = 0
    /// Whether somebody is to be tried again.
    var isDeferred = false
    /// Whether the sender is to be told something.
    var hasNotice = false
    /// Whether its message is gone and its number another's: what is reported is only logged.
    var isOld = false
}

/// A delivery that has been started.
struct Delivery {
    let job: Int
    /// Its number in the log.
    let number: Int
    /// The recipient as he was handed on, and where his record stands.
    let recipient: [UInt8]
    let offset: Int
    let notifications: RecipientNotifications
}

/// One channel: what is due on it, and what is under way.
struct Lane: ~Copyable {
    let channel: Channel
    /// Messages that nobody has tried, and those that have been deferred, so that neither kind waits for all of the
    /// other.
    var untried = DueMessages()
    var deferred = DueMessages()
    /// Open jobs; nil is a free place.
    var jobs: [Job?] = []
    /// Jobs with recipients that have not been started, in turn.
    var open: [Int] = []
    /// Deliveries by the number that the spawner knows; nil is free.
    var deliveries: [Delivery?]
    var running = 0
    /// The most at once: what the settings say and the spawner can.
    var limit: Int
    private let capacity: Int
    var output: OutputPipe
    let input: FileDescriptor
    var reader = ReportReader()
    /// Whether the spawner is gone: nothing more is started or reported.
    private(set) var isLost = false
    private var turn = 0
    private var lastNumber = -1

    /// After this number of untried messages a deferred one has its turn.
    private static let turns = 4

    init(
        _ channel: Channel, wanted: Int, output: consuming FileDescriptor,
        input: consuming FileDescriptor
    ) throws(Errno) {
        // The spawner's first byte is what it can do at once.
        var first: [UInt8] = [0]
        if try input.read(into: &first) != 1 { throw .brokenPipe }
        try output.setNonBlocking(true)
        try input.setNonBlocking(true)
        self.channel = channel
        capacity = Int(first[0])
        limit = min(wanted, capacity)
        deliveries = [Delivery?](repeating: nil, count: capacity)
        self.output = OutputPipe(output)
        self.input = input
    }

    mutating func setLimit(_ wanted: Int) { limit = min(wanted, capacity) }

    /// The spawner is gone: what it had under way is unknown, and will be tried again by another process.
    mutating func lose() {
        isLost = true
        running = 0
        deliveries = [Delivery?](repeating: nil, count: capacity)
    }

    /// Whether a delivery may be started.
    var hasRoom: Bool { !isLost && running < limit }

    /// Whether enough jobs wait for room: the recipients of more would fill the memory.
    var hasManyOpen: Bool { open.count >= limit }

    /// The open job whose turn it is.
    mutating func nextOpen() -> Int? { open.isEmpty ? nil : open.removeFirst() }

    /// Take the message whose turn it is, if one is due.
    mutating func nextDue(now: Int) -> DueMessage? {
        func isDue(_ messages: borrowing DueMessages) -> Bool {
            if let first = messages.first { first.time <= now } else { false }
        }
        turn += 1
        let isDeferredsTurn = turn % Self.turns == 0 || !isDue(untried)
        if isDeferredsTurn, isDue(deferred) { return deferred.removeFirst() }
        return isDue(untried) ? untried.removeFirst() : nil
    }

    /// When the next message is due, in seconds since 1970.
    var nextTime: Int? {
        guard let one = untried.first?.time else { return deferred.first?.time }
        guard let other = deferred.first?.time else { return one }
        return min(one, other)
    }

    /// Start nothing more for a message, which has gone without being done with.
    mutating func forget(_ key: MessageKey) {
        untried.removeAll(of: key)
        deferred.removeAll(of: key)
        open.removeAll { jobs[$0]?.key == key }
        for i in jobs.indices where jobs[i]?.key == key {
            jobs[i]?.isOld = true
            if jobs[i]?.running == 0 { jobs[i] = nil }
        }
    }

    mutating func add(_ job: Job) -> Int {
        if let i = jobs.firstIndex(where: { $0 == nil }) {
            jobs[i] = job
            return i
        }
        jobs.append(job)
        return jobs.count - 1
    }

    /// The number for a new delivery.
    ///
    /// A number comes again as late as can be, so that a spawner that reports twice does not speak for another delivery.
    mutating func freeNumber() -> Int? {
        for step in 1...max(1, capacity) {
            let number = (lastNumber + step) % max(1, capacity)
            if number < capacity, deliveries[number] == nil {
                lastNumber = number
                return number
            }
        }
        return nil
    }
}
