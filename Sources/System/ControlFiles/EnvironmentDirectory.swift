import ByteText
package import Posix

/// Variables in the form of envdir(8): a folder with one file a variable.
package enum EnvironmentDirectory {
    /// Apply the folder's files to an environment.
    ///
    /// The first line is the value, blanks at its end cut and NULs turned into line feeds; an empty
    /// file removes the variable. Names that start with a dot or have a `=` are left out.
    ///
    /// When the folder or one of its files cannot be read, nothing is applied.
    package static func apply(
        _ path: [UInt8], to environment: inout Environment
    ) throws(ControlFailure) {
        var changed = environment
        for name in try reading(path, { () throws(Errno) in try Files.names(in: path) }) {
            if name.first == UInt8(ascii: ".") || name.contains(UInt8(ascii: "=")) { continue }
            let file = path + [UInt8(ascii: "/")] + name
            let contents = try reading(file) { () throws(Errno) in
                try Files.contents(file, limit: 1 << 16)
            }
            changed.set(name, contents.isEmpty ? nil : value(contents))
        }
        environment = changed
    }

    private static func value(_ contents: [UInt8]) -> [UInt8] {
        var line = contents.lines.first ?? []
        while let last = line.last, last == 32 || last == 9 { line.removeLast() }
        return line.map { $0 == 0 ? UInt8(ascii: "\n") : $0 }
    }

    private static func reading<Value>(
        _ path: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(ControlFailure) -> Value {
        do throws(Errno) { return try body() } catch { throw .unreadable(path: path, error) }
    }
}
