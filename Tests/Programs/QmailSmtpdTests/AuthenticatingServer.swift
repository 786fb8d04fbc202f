import Posix
import Testbed

/// A qmail-smtpd that asks a checkpassword program of the test, and a queue that keeps its variables.
final class AuthenticatingServer {
    let server: ScriptedServer
    /// The program of the session, and its arguments.
    var command: [String]

    /// Variables of clients from whom AUTH is taken without TLS.
    static let loopback = ["TCPREMOTEIP": "127.0.0.1"]

    /// A program that knows one user, bob, whose password is pass, and runs its arguments for him.
    ///
    /// It keeps the question.
    init(_ script: String? = nil) throws {
        server = try ScriptedServer(queue: "env >environment.$$; exit 0")
        command = [server.root + "/checkpassword", "/bin/true"]
        try server.control("authloopback", "1\n")
        try replaceProgram(
            script
                ?? """
                cat <&3 >asked; exec 3<&-
                [ "$(od -An -c asked | tr -d ' \\n')" = 'bob\\0pass\\0\\0' ] || exit 1
                exec "$@"
                """)
    }

    /// Another script in place of the program.
    func replaceProgram(_ script: String) throws {
        try server.write("checkpassword", "#!/bin/sh\ncd '\(server.root)'\n\(script)\n")
        try shell("chmod 755 '\(server.root)/checkpassword'")
    }

    /// The session's program with its arguments, ready to be started.
    func command(_ streams: [Command.Stream], _ variables: [String: String]) -> Command {
        var program = server.command(streams)
        program.arguments = command.map { Array($0.utf8) }
        for (name, value) in variables { program.set(name, value) }
        return program
    }

    /// What it answers to a client that says all of this at once and hangs up.
    func answer(
        _ input: String, _ variables: [String: String] = loopback
    ) throws -> Outcome {
        try command([.input(Array(input.utf8)), .capture, .capture], variables).run()
    }

    /// A file that the scripts have written; empty when there is none.
    func file(_ name: String) throws -> String {
        try shell("cat '\(server.root)'/\(name) 2>/dev/null || true")
    }

    /// The variables that the queue got, sorted.
    func variables() throws -> [String] {
        try file("environment.*").split(separator: "\n").map { String($0) }.sorted()
    }
}

extension Outcome {
    /// The codes of the final lines of replies, with the enhanced ones.
    var codes: [String] {
        replies.filter { $0.dropFirst(3).first == " " }.map { line in
            let words = line.split(separator: " ").prefix(2)
            return words.count == 2 && words[1].contains(".") && words[1].first?.isNumber == true
                ? words.joined(separator: " ") : String(words[0])
        }
    }
}

/// `NUL bob NUL pass`.
let plain = "AGJvYgBwYXNz"
/// `NUL bob NUL wrong`.
let wrongPlain = "AGJvYgB3cm9uZw=="
