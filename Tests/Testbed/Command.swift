package import Posix

/// A program to run as a user would: with given arguments, variables and descriptors.
///
/// Input comes from and output goes to unnamed files, so neither side can block the other.
package struct Command {
    /// What one of the program's descriptors is.
    package enum Stream {
        /// A file with these bytes, at its start.
        case input([UInt8])
        /// An empty file, whose bytes the outcome has.
        case capture
        /// /dev/null.
        case null
        case closed
        /// A descriptor of the test's own.
        case existing(Int32)
    }

    /// The program's file; PATH is not searched.
    package var path: [UInt8]
    /// Without the program's name.
    package var arguments: [[UInt8]]
    /// Its variables; a PATH and no others unless they are set.
    package var environment: Environment
    /// By descriptor.
    package var streams: [Stream]
    /// Its working folder; nil: the test's.
    package var directory: [UInt8]?
    /// Seconds after which it is killed with its process group, and the outcome says so.
    package var patience = 120

    /// A program whose output and errors are captured unless said otherwise.
    package init(
        _ path: String, _ arguments: [String] = [], streams: [Stream] = [.null, .capture, .capture]
    ) {
        self.path = Array(path.utf8)
        self.arguments = arguments.map { Array($0.utf8) }
        environment = Environment()
        environment.set("PATH", Array(Tools.searchPath.utf8))
        self.streams = streams
    }

    /// Set a variable, or remove it with nil.
    package mutating func set(_ name: String, _ value: String?) {
        environment.set(Array(name.utf8), value.map { Array($0.utf8) })
    }

    /// Run it to its end.
    package func run() throws(Errno) -> Outcome {
        let running = try start()
        return try running.wait(seconds: patience)
    }

    /// Start it and come back.
    package func start() throws(Errno) -> Running {
        var numbers: [Int32] = []
        for stream in streams {
            switch stream {
            case .input(let bytes):
                let file = try unnamedFile()
                try file.write(bytes)
                try file.seek(to: 0)
                numbers.append(file.release())
            case .capture: numbers.append(try unnamedFile().release())
            case .null:
                numbers.append(
                    try FileDescriptor.open(Array("/dev/null".utf8), .readWrite).release())
            case .closed: numbers.append(-1)
            case .existing(let number): numbers.append(number)
            }
        }
        var launch = Launch(
            path, arguments: [path] + arguments, environment: environment, descriptors: numbers)
        launch.newGroup = true
        launch.directory = directory
        var kept: [Int32?] = []
        defer {
            for (i, stream) in streams.enumerated() where kept.count == streams.count {
                if case .input = stream { _ = FileDescriptor(adopting: numbers[i]) }
                if case .null = stream { _ = FileDescriptor(adopting: numbers[i]) }
            }
        }
        let child = try launch.start()
        for (i, stream) in streams.enumerated() {
            if case .capture = stream { kept.append(numbers[i]) } else { kept.append(nil) }
        }
        return Running(child: child, captures: kept)
    }

    private func unnamedFile() throws(Errno) -> FileDescriptor {
        let path = Array("/tmp/testbed.".utf8) + uniqueName()
        let file = try FileDescriptor.open(path, .createNew, permissions: 0o600)
        try Files.unlink(path)
        return file
    }
}

/// A name that no other part of any test run has.
package func uniqueName() -> [UInt8] {
    let name = "\(Process.identifier).\(UInt64.random(in: 0..<UInt64.max))"
    return Array(name.utf8)
}

/// A started program; `wait` must be called.
package final class Running: Sendable {
    /// The process itself.
    package let child: Child
    private let captures: [Int32?]

    init(child: Child, captures: [Int32?]) {
        self.child = child
        self.captures = captures
    }

    deinit { for capture in captures { if let capture { _ = FileDescriptor(adopting: capture) } } }

    /// What a captured descriptor has got so far.
    package func output(_ descriptor: Int = 1) throws(Errno) -> [UInt8] {
        guard let number = captures[descriptor] else { return [] }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        let file = FileDescriptor(adopting: number)
        do throws(Errno) {
            while true {
                let count = try file.read(into: &buffer, at: all.count)
                if count == 0 { break }
                all.append(contentsOf: buffer[..<count])
            }
        } catch {
            _ = file.release()
            throw error
        }
        _ = file.release()
        return all
    }

    /// Wait for its end; past the time it is killed.
    package func wait(seconds: Int = 120) throws(Errno) -> Outcome {
        let deadline = Deadline(milliseconds: seconds * 1000)
        var pause = 1
        while true {
            if let ending = try child.endingIfOver() {
                var outputs: [[UInt8]] = []
                for i in 0..<captures.count { outputs.append(try output(i)) }
                return Outcome(ending: ending, outputs: outputs)
            }
            if deadline.hasPassed {
                child.killGroup()
                _ = try child.wait()
                throw .timedOut
            }
            Clock.sleep(milliseconds: pause)
            pause = min(20, pause + 1)
        }
    }

    /// End it with SIGTERM, or SIGKILL when that does not help within 5 seconds.
    package func stop() {
        do throws(Errno) {
            if try child.endingIfOver() != nil { return }
            try child.signal(.terminate)
            let deadline = Deadline(milliseconds: 5000)
            while !deadline.hasPassed {
                if try child.endingIfOver() != nil { return }
                Clock.sleep(milliseconds: 10)
            }
            child.killGroup()
            _ = try child.wait()
        } catch {
            // It was waited for already: its number may be another's by now.
        }
    }
}

/// How a program ended and what it wrote.
package struct Outcome: Sendable {
    /// By exit code or signal.
    package let ending: Child.Ending
    /// By descriptor; empty for those that were not captured.
    package let outputs: [[UInt8]]

    /// The exit code, nil when a signal ended it.
    package var code: Int32? {
        if case .exited(let code) = ending { return code }
        return nil
    }
    /// Descriptor 1 as text.
    package var output: String {
        String(decoding: outputs.count > 1 ? outputs[1] : [], as: UTF8.self)
    }
    /// Descriptor 2 as text.
    package var errors: String {
        String(decoding: outputs.count > 2 ? outputs[2] : [], as: UTF8.self)
    }
}
