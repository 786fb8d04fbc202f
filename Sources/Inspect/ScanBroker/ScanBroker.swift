import ByteText
import CScanBroker
import ControlFiles
import Posix
import ScanHost
import ScanProtocol
import ScanWire

/// The small parent of all scans: it starts and ends processes, and reads no byte of a request or a message.
struct ScanBroker: ~Copyable {
    private let instance: Instance
    private let rights: ScanRights
    private let isolation: Isolation
    private let folder: ScanFolder
    private let listener: FileDescriptor
    private let signals: FileDescriptor
    /// The most scans at once.
    private let limit: Int
    private var workers: [Worker] = []
    private var scans: [Scan] = []
    /// Until then no worker is started, because the last one could not be, or did nothing.
    private var pause: Deadline?
    /// Set once it is told to end.
    private var end: Deadline?

    /// A process that takes requests.
    private final class Worker {
        let child: Child
        let control: FileDescriptor
        /// When it must have answered; nil: it has nothing to do.
        var busyUntil: Deadline?
        var hasServed = false

        init(_ child: Child, _ control: consuming FileDescriptor) {
            self.child = child
            self.control = control
        }
    }

    /// A process of its own for one scan.
    private struct Scan {
        let child: Child
        /// Its file's name in the folder.
        let file: [UInt8]
        let until: Deadline
    }

    /// No scan takes longer: the most of QHPSITIMEOUT and what it takes to end a scanner, in milliseconds.
    private static let longest = 3_600_000 + 10_000
    /// How long scans may go on when the broker is told to end, in milliseconds.
    private static let patienceAtEnd = 60_000
    private static let pauseAfterFailure = 1000

    /// Of what has been made for it.
    init(
        _ instance: Instance, _ rights: ScanRights, _ isolation: consuming Isolation,
        _ folder: consuming ScanFolder, _ listener: consuming FileDescriptor,
        _ signals: consuming FileDescriptor, limit: Int
    ) {
        self.instance = instance
        self.rights = rights
        self.isolation = isolation
        self.folder = folder
        self.listener = listener
        self.signals = signals
        self.limit = limit
    }

    /// Work until SIGTERM, and then until the scans that there are have ended.
    mutating func run() throws(Errno) {
        while true {
            if let end {
                workers.removeAll { $0.busyUntil == nil }
                if workers.isEmpty && scans.isEmpty || end.hasPassed { return }
            } else {
                keepOneIdle()
            }
            try waitOnce()
            endLateOnes()
        }
    }

    /// The processes that count against the limit.
    private var count: Int { workers.count + scans.count }
    private var hasIdle: Bool { workers.contains { $0.busyUntil == nil } }

    private mutating func keepOneIdle() {
        if count > limit, let idle = workers.firstIndex(where: { $0.busyUntil == nil }) {
            // It ends when its side of the connection is closed.
            workers.remove(at: idle)
        }
        guard count < limit, !hasIdle, pause?.hasPassed ?? true else { return }
        do throws(Errno) { try startWorker() } catch {
            BrokerStart.say([UInt8]("warning: unable to start a process: ") + error.text)
            pause = Deadline(milliseconds: Self.pauseAfterFailure)
        }
    }

    private mutating func waitOnce() throws(Errno) {
        let heard = workers
        var wanted: [(fd: Int32, interest: Polling.Interest)] = [(signals.rawValue, .readable)]
        for worker in heard { wanted.append((worker.control.rawValue, .readable)) }
        if end == nil && !hasIdle { wanted.append((listener.rawValue, .readable)) }
        let ready = try Polling.waitForSome(wanted, until: nextDeadline)
        // The signals last: what a process has said before its end is heard first.
        for index in ready.reversed() {
            if index == 0 {
                try heedSignals()
            } else if index <= heard.count {
                hear(heard[index - 1])
            } else {
                refuseOne()
            }
        }
    }

    private var nextDeadline: Deadline? {
        var next = end
        if let pause, !pause.hasPassed { next = pause }
        for worker in workers {
            if let until = worker.busyUntil, until.at < (next?.at ?? .max) { next = until }
        }
        for scan in scans where scan.until.at < (next?.at ?? .max) { next = scan.until }
        return next
    }

    private mutating func heedSignals() throws(Errno) {
        while let number = try signals.nextSignal() {
            if number == Signal.terminate.number || number == Signal.interrupt.number {
                end = end ?? Deadline(milliseconds: Self.patienceAtEnd)
                BrokerStart.removeSocket(instance)
            }
        }
        while let (child, status) = Child.nextEnded() {
            forget(child.identifier)
            let ending = Child.ending(status: status)
            BrokerStart.tell(of: ending)
            if case .killed = ending, !isolation.hasNamespaces { endOrphans() }
        }
    }

    /// What a scan's process that was killed has left to us, as no namespace ends it.
    private func endOrphans() {
        let known = workers.map { $0.child.identifier } + scans.map { $0.child.identifier }
        do throws(Errno) {
            let text = try Files.contents([UInt8]("/proc/thread-self/children"))
            for word in text.words {
                guard let number = word.decimalValue, let process = Int32(exactly: number),
                    !known.contains(process)
                else { continue }
                // Its end comes to us, too, and then those whom it leaves are ended.
                kill(Child(identifier: process))
            }
        } catch {
            BrokerStart.say([UInt8]("warning: unable to see what a scan has left: ") + error.text)
        }
    }

    private mutating func forget(_ process: Int32) {
        for worker in workers where worker.child.identifier == process { lose(worker) }
        for scan in scans where scan.child.identifier == process { folder.remove(scan.file) }
        scans.removeAll { $0.child.identifier == process }
    }

    /// A worker is about to end, or has ended.
    private mutating func lose(_ worker: Worker) {
        workers.removeAll { $0 === worker }
        if !worker.hasServed { pause = Deadline(milliseconds: Self.pauseAfterFailure) }
    }

    private mutating func hear(_ worker: Worker) {
        let packet: BrokerSocket.Packet
        do throws(Errno) { packet = try worker.control.receivePacket(limit: 8) } catch {
            if error != .wouldBlock { lose(worker) }
            return
        }
        switch packet.bytes.first {
        case ScanWorker.Word.busy:
            worker.hasServed = true
            worker.busyUntil = Deadline(milliseconds: Self.longest)
        case ScanWorker.Word.idle: worker.busyUntil = nil
        case ScanWorker.Word.handOver where packet.descriptors.count == 3:
            let connection = FileDescriptor(adopting: packet.descriptors[0])
            let message = FileDescriptor(adopting: packet.descriptors[1])
            let request = FileDescriptor(adopting: packet.descriptors[2])
            startScan(connection, message, request)
        default: lose(worker)
        }
    }

    private mutating func startWorker() throws(Errno) {
        var ours: Int32 = -1
        var theirs: Int32 = -1
        guard cscan_pair(&ours, &theirs) == 0 else { throw Errno.last }
        let control = FileDescriptor(adopting: ours)
        let other = FileDescriptor(adopting: theirs)
        guard let child = try Process.fork() else { work(other.release()) }
        workers.append(Worker(child, control))
    }

    /// The child of a fork from here on.
    private func work(_ control: Int32) -> Never {
        do throws(Errno) {
            try Process.closeDescriptors(except: [0, 1, 2, listener.rawValue, control])
            try rights.drop(as: .alone)
            let worker = ScanWorker(
                listener: FileDescriptor(adopting: listener.rawValue),
                control: FileDescriptor(adopting: control), rights, instance)
            try worker.run()
        } catch {
            // Who waits learns of the broker's end by its connection.
            if error != .brokenPipe {
                BrokerStart.say([UInt8]("warning: unable to take requests: ") + error.text)
            }
        }
        Process.exit(0)
    }

    private mutating func startScan(
        _ connection: borrowing FileDescriptor, _ message: borrowing FileDescriptor,
        _ request: borrowing FileDescriptor
    ) {
        guard scans.count < limit else { return refuse(connection) }
        var name: [UInt8]?
        do throws(Errno) {
            let file = try folder.newFile()
            name = file.name
            guard let child = try isolation.fork() else {
                let process = ScanProcess(
                    connection: connection.rawValue, message: message.rawValue,
                    request: request.rawValue, path: file.path, file: file.descriptor.rawValue,
                    rights: rights, instance: instance)
                process.run(isolation)
            }
            let until = Deadline(milliseconds: Self.longest)
            scans.append(Scan(child: child, file: file.name, until: until))
        } catch {
            if let name { folder.remove(name) }
            Self.fail(connection, [UInt8]("the scan broker cannot start a scan: ") + error.text)
        }
    }

    /// Take a connection that no worker can take.
    ///
    /// Without an answer qhpsi does the scan itself: there may be too many scans, but not none because of us.
    private func refuseOne() {
        do throws(Errno) {
            guard let connection = try listener.acceptNow(),
                rights.believes(try connection.peer()), count >= limit
            else { return }
            refuse(connection)
        } catch {
            Clock.sleep(milliseconds: 10)
        }
    }

    private func refuse(_ connection: borrowing FileDescriptor) {
        let count = [UInt8](decimal: limit)
        Self.fail(connection, [UInt8]("the scan broker has ") + count + [UInt8](" scans already"))
    }

    private static func fail(_ connection: borrowing FileDescriptor, _ reason: [UInt8]) {
        let answer = ScanAnswer(.failed(reason: reason), scanner: [UInt8]("qhpsid"))
        do throws(Errno) { try connection.sendPacket(answer.encoded) } catch {
            // Whoever asked is gone.
        }
    }

    private func endLateOnes() {
        for worker in workers where worker.busyUntil?.hasPassed == true { kill(worker.child) }
        for scan in scans where scan.until.hasPassed { kill(scan.child) }
    }

    private func kill(_ child: Child) {
        do throws(Errno) { try child.signal(.kill) } catch {
            // It has just ended.
        }
    }
}
