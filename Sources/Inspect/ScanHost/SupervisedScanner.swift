import ByteText
import Posix

/// The scanner's process while it runs: bounded in time, output and resources, and gone at the end with all
/// that it has started.
struct SupervisedScanner {
    /// How the scanner ended and what it wrote.
    struct Result {
        /// Nil: the time was over and it was killed.
        let ending: Child.Ending?
        /// Whether nothing of it runs any more, in whatever session or process group.
        let isGone: Bool
        /// Descriptor 1.
        let output: [UInt8]
        /// Descriptor 2.
        let errors: [UInt8]
    }

    let launch: Launch
    let deadline: Deadline

    /// The most bytes of each output that are kept; the rest is read and dropped, so that a scanner that talks
    /// much does not block.
    static let outputLimit = 16384
    /// Milliseconds in which all that the scanner has started must end when it is killed; less than qmail-queue waits.
    private static let killingTime = 3000

    /// Prepare to start a program by its path and arguments; at the deadline it is killed.
    ///
    /// The memory is its RLIMIT_AS in bytes.
    init(_ arguments: [[UInt8]], environment: Environment, deadline: Deadline, memory: UInt) {
        var launch = Launch(
            arguments.first ?? [], arguments: arguments, environment: environment,
            descriptors: [])
        launch.newGroup = true
        launch.directory = [UInt8(ascii: "/")]
        launch.processorSeconds = UInt(deadline.remaining / 1000 + 1)
        launch.addressSpace = memory
        launch.fileSize = 4 << 30
        self.launch = launch
        self.deadline = deadline
    }

    /// Run it over the message on a descriptor, which is at its start, and say how that went.
    ///
    /// The other side of the watched descriptor is waiting for the result: when that is gone, the scanner is
    /// killed. A failure means that it could not be started or watched.
    func run(message: Int32, watched: Int32) throws(Errno) -> Result {
        let output = try Pipe()
        let errors = try Pipe()
        var launch = launch
        launch.descriptors = [message, output.writing.rawValue, errors.writing.rawValue]
        let over = try Signal.queue([.childEnded])
        try Descendants.adopt()
        let child = try launch.start()
        var collected = Collected(output.keepReading(), errors.keepReading())
        let inTime: Bool
        do throws(Errno) {
            inTime = try collect(&collected, of: child, over: over, watched: watched)
        } catch {
            _ = try end(child)
            throw error
        }
        let (ending, isGone) = try end(child)
        try collected.drain()
        return Result(
            ending: inTime ? ending : nil, isGone: isGone, output: collected.output,
            errors: collected.errors)
    }

    /// Kill it and all that it has started.
    ///
    /// The group goes before the child is waited for: until then its number is not reused. What has left the group is
    /// ours when its parents have ended.
    private func end(_ child: Child) throws(Errno) -> (ending: Child.Ending, isGone: Bool) {
        child.killGroup()
        let ending = try child.wait()
        return (
            ending, try Descendants.end(until: Deadline(milliseconds: Self.killingTime))
        )
    }

    /// Read until the program has ended.
    ///
    /// - Returns: False when the time was over or nobody waits any more.
    private func collect(
        _ collected: inout Collected, of child: Child, over: borrowing FileDescriptor,
        watched: Int32
    ) throws(Errno) -> Bool {
        while true {
            let wanted: [(fd: Int32, interest: Polling.Interest)] =
                [(fd: over.rawValue, interest: .readable), (fd: watched, interest: .hangUp)]
                + collected.wanted
            guard let ready = try Polling.waitForAny(wanted, until: deadline) else { return false }
            switch ready {
            case 0:
                // Taken away before we look, for it may come from another one, which its parent has left to us.
                _ = try over.nextSignal()
                if try child.hasEnded() { return true }
                if deadline.hasPassed { return false }
            case 1: return false
            default:
                try collected.read(wanted[ready].fd)
                if deadline.hasPassed { return false }
            }
        }
    }
}

/// What the scanner writes, read as it comes.
private struct Collected: ~Copyable {
    private let outputSource: FileDescriptor
    private let errorSource: FileDescriptor
    private var outputIsOpen = true
    private var errorsAreOpen = true
    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 4096)

    init(_ output: consuming FileDescriptor, _ errors: consuming FileDescriptor) {
        outputSource = output
        errorSource = errors
    }

    /// What to wait for.
    var wanted: [(fd: Int32, interest: Polling.Interest)] {
        (outputIsOpen ? [(fd: outputSource.rawValue, interest: .readable)] : [])
            + (errorsAreOpen ? [(fd: errorSource.rawValue, interest: .readable)] : [])
    }

    /// Read once from the descriptor that has something.
    mutating func read(_ ready: Int32) throws(Errno) {
        if ready == outputSource.rawValue {
            let count = try outputSource.read(into: &buffer)
            outputIsOpen = count > 0
            output += kept(count, after: output.count)
        } else {
            let count = try errorSource.read(into: &buffer)
            errorsAreOpen = count > 0
            errors += kept(count, after: errors.count)
        }
    }

    private func kept(_ count: Int, after length: Int) -> ArraySlice<UInt8> {
        buffer[..<min(count, max(0, SupervisedScanner.outputLimit - length))]
    }

    /// Read what is left in the pipes without waiting for whoever else may hold them.
    mutating func drain() throws(Errno) {
        let now = Deadline(milliseconds: 0)
        var rounds = 0
        // A pipe holds 64 KB; more can only come from a process outside the group, which is not heard.
        while rounds < 64, let ready = try Polling.waitForAny(wanted, until: now) {
            try read(wanted[ready].fd)
            rounds += 1
        }
    }
}
