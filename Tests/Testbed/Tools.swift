import Posix

/// Other people's programs that tests start: clamd, tcpserver, smtp-source and the like.
package enum Tools {
    /// Where `tools/depends check` puts those whose packages must not be installed.
    package static var folder: String { PrivateInstance.sourceTree + "/build/tools/bin" }

    /// What tests have as PATH.
    package static var searchPath: String {
        folder + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    }

    /// The absolute path of a program.
    package static func path(of name: String) throws -> String {
        for folder in searchPath.split(separator: ":") {
            let path = "\(folder)/\(name)"
            if (try? FileStatus(of: Array(path.utf8))) != nil { return path }
        }
        throw TestbedFailure(text: "no \(name) on this machine; tools/depends check provides it")
    }
}
