import Posix
import Testbed

/// A machine with users who can log in, and the program as it is installed: set-uid root.
final class LoginMachine: Sendable {
    let machine: SetIDRoot

    static let root = (user: 0, group: 0)
    static let qmaild = (user: 64011, group: 65534)
    static let stranger = (user: 2000, group: 2000)

    /// Accounts of the system, each with pass for a password.
    static let ofTheSystem = [
        "root", "toor", "daemon", "www-data", "qmaild", "qscand", "below", "above", "nobody",
        "none",
    ]
    /// Accounts of people and of mailboxes, at the ends of what Debian Policy §9.2.2 gives them, with the same.
    static let ordinary = ["first", "last", "wide", "widest", "mailonly"]

    /// bob may log in with pass; locked is locked, old has expired, stale must change his password, open has
    /// an empty one.
    init() throws {
        machine = try SetIDRoot()
        let hash = try shell("perl -e 'print crypt(\"pass\", q($6$saltsalt$))'")
        let others = (Self.ofTheSystem + Self.ordinary).map { "\($0):\(hash):19000:0:99999:7:::" }
        try shell(
            """
            cd '\(machine.root)'
            mkdir -p home/bob && chown 3000:3000 home/bob
            cat >>etc/passwd <<'USERS'
            bob:x:3000:3000::/home/bob:/bin/sh
            locked:x:3001:3000::/home/bob:/bin/sh
            old:x:3002:3000::/home/bob:/bin/sh
            stale:x:3003:3000::/home/bob:/bin/sh
            open:x:3004:3000::/home/bob:/bin/sh
            homeless:x:3005:3000::/nonexistent:/bin/sh
            toor:x:0:0::/root:/bin/sh
            below:x:999:3000::/home/bob:/bin/sh
            first:x:1000:3000::/home/bob:/bin/sh
            last:x:59999:3000::/home/bob:/bin/sh
            above:x:60000:3000::/home/bob:/bin/sh
            wide:x:65536:3000::/home/bob:/bin/sh
            widest:x:4294967293:3000::/home/bob:/bin/sh
            none:x:4294967294:3000::/home/bob:/bin/sh
            mailonly:x:3006:3000::/home/bob:/usr/sbin/nologin
            USERS
            printf 'bobs:x:3000:\\nextra:x:3100:alice,bob\\n' >>etc/group
            cat >etc/shadow <<'SHADOW'
            bob:\(hash):19000:0:99999:7:::
            locked:!\(hash):19000:0:99999:7:::
            old:\(hash):19000:0:99999:7::1:
            stale:\(hash):0:0:99999:7:::
            open::19000:0:99999:7:::
            homeless:\(hash):19000:0:99999:7:::
            \(others.joined(separator: "\n"))
            SHADOW
            chmod 600 etc/shadow
            """)
    }

    /// Ask about a user and password, and run a program for him.
    ///
    /// - Parameters:
    ///   - question: The bytes on descriptor 3.
    ///   - caller: Who asks.
    ///   - arguments: Of the program.
    ///   - variables: In the caller's environment.
    /// - Returns: How it ended, and what the program that it ran wrote.
    /// - Throws: When it cannot be started.
    func ask(
        _ question: String, as caller: (user: Int, group: Int) = qmaild,
        _ arguments: [String] = ["/bin/sh", "-c", "id; pwd; env; ls /proc/$$/fd"],
        _ variables: [String: String] = [:]
    ) throws -> Outcome {
        try machine.command(
            user: caller.user, group: caller.group,
            ["/usr/bin/env"] + variables.map { "\($0)=\($1)" }
                + ["/usr/sbin/qhpsi-checkpassword"] + arguments,
            streams: [.null, .capture, .capture, .input(Array(question.utf8))]
        ).run()
    }
}
