import ByteText
import Posix
import Schedule

/// What qmail-clean(8) is to remove, in the order in which it answers.
struct Removals: ~Copyable {
    /// What of a message.
    enum What: UInt8 {
        /// intd and todo: the message is in info/ now.
        case todo
        /// todo, intd and mess of a message that never came into info/.
        case all
        /// mess, when nothing else is left.
        case mess
        /// intd and mess of a message that was never committed, unless somebody works on it.
        case lost
        /// All of pid and scan that nobody works on; of no message.
        case left

        var word: StaticString {
            switch self {
            case .todo: "todo"
            case .all: "all"
            case .mess: "mess"
            case .lost: "lost"
            case .left: "left"
            }
        }
    }

    struct Removal {
        let key: MessageKey
        let what: What
        /// For `all` the process that queued it, by which it is told from the next message with its number.
        let process: Int
    }

    private var asked: [Removal] = []
    private var first = 0
    /// Those that could not be, to be asked for again.
    var failed: [Removal] = []
    var output: OutputPipe
    let input: FileDescriptor

    /// Whether qmail-clean is gone.
    private(set) var isLost = false

    init(output: consuming FileDescriptor, input: consuming FileDescriptor) throws(Errno) {
        // qmail-clean says that it is alone in the queues.
        var first: [UInt8] = [0]
        if try input.read(into: &first) != 1 { throw .brokenPipe }
        try output.setNonBlocking(true)
        try input.setNonBlocking(true)
        self.output = OutputPipe(output)
        self.input = input
    }

    /// Whether nothing is outstanding.
    var isEmpty: Bool { first == asked.count }

    /// Ask for a removal in the queue with the name: `WHAT QUEUE/ID` and a NUL.
    mutating func ask(_ removal: Removal, queue: [UInt8]) {
        var request = [UInt8](removal.what.word)
        request.append(" ")
        request += queue
        request.append("/")
        request.append(decimal: removal.key.id)
        request.append(0)
        output.append(request)
        asked.append(removal)
    }

    /// qmail-clean is gone: what it had not answered, and what it could not do.
    mutating func lose() -> [Removal] {
        let left = Array(asked[first...]) + failed
        isLost = true
        asked = []
        first = 0
        failed = []
        return left
    }

    /// The removal that the next answer is about.
    mutating func next() -> Removal? {
        guard first < asked.count else { return nil }
        let removal = asked[first]
        first += 1
        if first == asked.count {
            asked.removeAll(keepingCapacity: true)
            first = 0
        }
        return removal
    }
}
