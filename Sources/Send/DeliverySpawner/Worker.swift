import Posix

/// A process that takes one delivery after the other, all of one user.
final class Worker {
    let user: ChildUser
    let child: Child
    let socket: FileDescriptor
    /// What it is at; nil while it waits for more.
    private(set) var job: DeliveryJob?
    /// The job's message, for a program that has to do it after all: by its name it could be another one by then.
    private(set) var message: OpenMessage?
    /// When it has waited for long enough.
    private(set) var end: Deadline
    private var count = 0

    private static let patienceMilliseconds = 1000
    /// After so many deliveries it makes room for a new one, for whatever it has gathered.
    private static let mostDeliveries = 2000

    init(_ user: ChildUser, _ child: Child, _ socket: consuming FileDescriptor) {
        self.user = user
        self.child = child
        self.socket = socket
        end = Deadline(milliseconds: Self.patienceMilliseconds)
    }

    /// Whether it is not to get another delivery.
    var isOver: Bool { job == nil && (count >= Self.mostDeliveries || end.hasPassed) }

    func begin(
        _ job: DeliveryJob, _ request: [UInt8], _ message: OpenMessage
    ) throws(Errno) {
        try socket.sendPacket(request, passing: message.file.rawValue)
        self.job = job
        self.message = message
        count += 1
    }

    /// It has answered.
    func rest() {
        job = nil
        message = nil
        end = Deadline(milliseconds: Self.patienceMilliseconds)
    }
}

/// The workers that there are, and the users who have deliveries that workers do not do.
///
/// Plain arrays: there are no more than a spawner's deliveries at once, and some that wait.
struct WorkerPool {
    private(set) var all: [Worker] = []
    private var others: [(user: ChildUser, until: Deadline)] = []

    /// So many more than are busy may wait.
    private static let mostIdle = 64
    private static let othersMilliseconds = 10_000

    /// Those that are at a delivery.
    var busy: [Worker] { all.filter { $0.job != nil } }

    /// When the first of those that wait has waited for long enough.
    var nextEnd: Deadline? {
        var next: Deadline?
        for worker in all where worker.job == nil {
            if next == nil || worker.end.at < next?.at ?? 0 { next = worker.end }
        }
        return next
    }

    /// One of the user's that waits, the one that waits for the shortest time.
    func idle(for user: ChildUser) -> Worker? {
        all.last { $0.job == nil && $0.user == user && !$0.isOver }
    }

    mutating func add(_ worker: Worker) {
        all.append(worker)
        let waiting = all.filter { $0.job == nil }
        if waiting.count > Self.mostIdle, let first = waiting.first { remove(first) }
    }

    mutating func remove(_ worker: Worker) { all.removeAll { $0 === worker } }

    /// Let those go that have waited for long enough: the end of their connection is their own.
    mutating func endIdle() {
        all.removeAll { $0.isOver }
        others.removeAll { $0.until.hasPassed }
    }

    /// Remember that the user has deliveries that no worker does.
    mutating func setAside(_ user: ChildUser) {
        others.removeAll { $0.user == user }
        others.append((user, Deadline(milliseconds: Self.othersMilliseconds)))
    }

    func isSetAside(_ user: ChildUser) -> Bool {
        others.contains { $0.user == user && !$0.until.hasPassed }
    }
}
