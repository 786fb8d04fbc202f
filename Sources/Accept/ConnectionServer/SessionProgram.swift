import ByteText
import ControlFiles
import Posix

/// The program of each session.
struct SessionProgram {
    private let command: [[UInt8]]
    /// Files that may be it, in order.
    private let candidates: [[UInt8]]

    /// The command's program, searched where the environment says.
    init(_ command: [[UInt8]], _ environment: Environment) {
        self.command = command
        guard let name = command.first, !name.contains(UInt8(ascii: "/")) else {
            candidates = Array(command.prefix(1))
            return
        }
        let searchPath = environment["PATH"] ?? [UInt8]("/bin:/usr/bin")
        let folders = searchPath.split(separator: 58, omittingEmptySubsequences: false)
        candidates = folders.map { folder in
            // An empty one is the working folder.
            (folder.isEmpty ? [UInt8](".") : Array(folder)) + [UInt8(ascii: "/")] + name
        }
    }

    /// Its name, for the log.
    var name: [UInt8] { command.first ?? [] }

    /// How it is started on a connection, and with an image of the control files when there is one.
    func launch(
        on socket: Int32, image: Int32?, _ environment: Environment
    ) throws(Errno) -> Launch {
        // One candidate needs no look: execve will say.
        let found =
            candidates.count == 1 ? candidates[0] : candidates.first(where: Files.isExecutable)
        guard let found else { throw .noSuchFile }
        var launch = Launch(
            found, arguments: command, environment: environment, descriptors: [socket, socket, 2])
        launch.hand(over: image)
        return launch
    }
}
