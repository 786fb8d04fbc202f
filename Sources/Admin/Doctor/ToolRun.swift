import AdminReport
import ByteText
import Posix

/// One run of another program whose words are wanted.
struct ToolRun {
    /// Nil when a signal or the deadline ended it.
    let code: Int32?
    /// What it wrote to descriptors 1 and 2, at most `outputLimit` bytes.
    let output: [UInt8]

    private static let outputLimit = 1 << 20

    /// Run a program to its end.
    ///
    /// - Parameters:
    ///   - path: Its file.
    ///   - arguments: Without its name.
    ///   - seconds: After which it is killed.
    /// - Throws: When it cannot be started.
    init(_ path: [UInt8], _ arguments: [[UInt8]], seconds: Int) throws(Errno) {
        let pipe = try Pipe()
        let null = try FileDescriptor.open(Array("/dev/null".utf8), .readWrite)
        let end = pipe.writing.rawValue
        var launch = Launch(
            path, arguments: [path] + arguments, environment: Environment.current,
            descriptors: [null.rawValue, end, end])
        launch.newGroup = true
        let child = try launch.start()
        let reading = pipe.keepReading()
        let deadline = Deadline(milliseconds: seconds * 1000)
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        var isOver = false
        do throws(Errno) {
            while output.count < Self.outputLimit,
                try Polling.wait(for: reading.rawValue, .readable, until: deadline)
            {
                let count = try reading.read(into: &buffer)
                isOver = count == 0
                if isOver { break }
                output += buffer[..<count]
            }
        } catch {
            // It is ended below; what it said so far is what there is.
        }
        if !isOver { child.killGroup() }
        if case .exited(let code) = try child.wait(), isOver {
            self.code = code
        } else {
            code = nil
        }
        self.output = output
    }

    /// The first lines, for a sentence.
    var firstWords: String {
        let lines = output.lines.filter { !$0.trimmed.isEmpty }
        let shown = lines.prefix(3).map { String(printable: $0.prefix(200)) }
        return shown.joined(separator: "; ")
            + (lines.count > shown.count ? "; and \(lines.count - shown.count) more lines" : "")
    }
}
