import ByteText
import ControlFiles
import DeliveryReport
import Posix
import Schedule
import SendQueue

/// qmail-send's one process: it takes over new mail of all queues, has it delivered, and forgets it.
///
/// Its parts are in files of their own: intake, deliveries, ends, notices, and the loop.
final class Sender {
    let instance: Instance
    let queues: [SendQueue]
    var settings: SendSettings
    var log = SendLog()
    var local: Lane
    var remote: Lane
    var removals: Removals
    var syncs: Syncs
    var notices = Notices()
    var holds = Holds()
    let signals: FileDescriptor
    let newMail: NewMail

    /// Messages of todo/ that are known here and not in info/.
    var fresh = MessageSet()
    /// Messages that came into info/ while info/ was being read.
    var settledMeanwhile = MessageSet()
    /// Names that were seen again while they were known: to be looked at when their removal is answered.
    var again = MessageSet()
    /// Messages of info/ of which nobody is left, and which qmail-clean has yet to remove from todo/.
    var ended = MessageSet()
    /// Messages of todo/ whose take-over failed: part of their files may be in info/, local/ and remote/.
    var broken = MessageSet()
    /// Messages whose mess files qmail-clean has yet to remove, and of which there is nothing else.
    var leaving = MessageSet()
    /// Messages of which nobody is left, and whose move from todo/ into info/ failed.
    var unclosed: [MessageKey] = []
    var scan = Scan()
    var lastNumber = 0
    var isStopping = false
    /// Whether a program that this one works with is gone.
    var isCrippled = false
    /// Whether names may have been missed since the look that is under way began.
    var mustLook = false
    /// When todo/ is read again, failed removals are asked for again, and leftovers are looked for.
    var nextLook: Int
    var nextRemovals = 0
    var nextCleaning: Int

    static let lookSeconds = 1500
    static let cleaningSeconds = 86400
    /// Seconds after which a file is tried again that was in trouble.
    static let troubleSeconds = 120
    /// Seconds after which a mess file is looked at again that somebody has locked: mostly queue-fix(8), for a moment.
    static let lockSeconds = 1

    /// - Parameters:
    ///   - instance: Where qmail-queue is.
    ///   - queues: All queues.
    ///   - settings: What the control files say.
    ///   - syncer: What puts files on the disk.
    ///   - signals: From `Signal.queue`.
    /// - Throws: When a spawner does not say hello.
    init(
        _ instance: Instance, queues: [SendQueue], settings: SendSettings,
        syncer: consuming Syncer.Ends, signals: consuming FileDescriptor
    ) throws(Errno) {
        self.instance = instance
        self.queues = queues
        self.settings = settings
        self.signals = signals
        local = try Lane(
            .local, wanted: settings.concurrency[0],
            output: FileDescriptor(adopting: SenderDescriptor.toLocal),
            input: FileDescriptor(adopting: SenderDescriptor.fromLocal))
        remote = try Lane(
            .remote, wanted: settings.concurrency[1],
            output: FileDescriptor(adopting: SenderDescriptor.toRemote),
            input: FileDescriptor(adopting: SenderDescriptor.fromRemote))
        removals = try Removals(
            output: FileDescriptor(adopting: SenderDescriptor.toClean),
            input: FileDescriptor(adopting: SenderDescriptor.fromClean))
        syncs = try Syncs(syncer)
        // Before todo/ is read, so that no name is missed.
        newMail = NewMail(queues)
        nextLook = Clock.seconds + Self.lookSeconds
        nextCleaning = 0
        scan.begin(queues, isFirst: true)
        for index in newMail.silent {
            log.warning(
                "unable to watch todo, new mail waits for up to 25 minutes", nil, [],
                queues[index].name)
        }
    }

    func key(_ queue: Int, _ id: UInt64) -> MessageKey? { MessageKey(queue: queue, id: id) }

    func queue(_ key: MessageKey) -> SendQueue { queues[key.queue] }

    /// The status line after a delivery began or ended.
    func logStatus(_ queue: SendQueue) {
        log.status(
            local: (local.running, local.limit), remote: (remote.running, remote.limit),
            stopping: isStopping, queue.name)
    }

    /// Change a lane by its channel.
    func withLane<Value>(_ channel: Channel, _ body: (inout Lane) -> Value) -> Value {
        channel == .local ? body(&local) : body(&remote)
    }
}
