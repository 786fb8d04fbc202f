import Posix
import Testbed

/// A folder of plugins in C, compiled against the installed header, removed with its owner.
final class CompiledPlugins {
    /// For `PLUGINDIR`.
    let path = "/tmp/plugins." + String(decoding: uniqueName(), as: UTF8.self)

    init() throws {
        try Files.makeDirectory(Array(path.utf8), permissions: 0o755)
    }

    deinit {
        // What a test leaves behind harms no other.
        _ = try? shell("rm -rf '\(path)'")
    }

    /// Compile `NAME.so`, in strict C99 without a warning.
    func compile(_ name: String, source path: String) throws {
        try shell(
            """
            cc -std=c99 -Wall -Wextra -pedantic -Werror -shared -fPIC \
            -I '\(PrivateInstance.builtRoot)/usr/include' -o '\(self.path)/\(name).so' '\(path)'
            """)
    }

    /// Compile `NAME.so` from the body of `virusscan_v1`.
    func compile(_ name: String, _ body: String) throws {
        try compile(
            name,
            code: """
                int virusscan_v1(const struct qhpsi_message *message, struct qhpsi_result *result)
                {
                    (void)message; (void)result;
                    \(body)
                }
                """)
    }

    /// Compile `NAME.so` from functions.
    func compile(_ name: String, code: String) throws {
        let source = "\(path)/\(name).c"
        let text = """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <signal.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            #include <qhpsi_plugin.h>
            \(code)

            """
        try FileDescriptor.open(Array(source.utf8), .replace).write(Array(text.utf8))
        try compile(name, source: source)
    }

    /// The plugins with this folder for `PLUGINDIR`.
    func run(
        _ plugins: String..., milliseconds: Int = 60_000, variables: [(String, String)] = []
    ) -> HostRun {
        var run = HostRun(milliseconds: milliseconds, variables: variables)
        run.plugins = plugins
        run.peers = [self]
        run.variables.append(("PLUGINDIR", path))
        return run
    }
}
