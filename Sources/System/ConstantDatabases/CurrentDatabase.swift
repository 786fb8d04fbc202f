package import Posix

/// The database at a path as it is now, for a process that asks often and long.
///
/// It is read when the path names another file, or one that was changed; for that a look at the file is enough. The
/// copy in memory is not harmed when somebody writes over the file in place.
package final class CurrentDatabase {
    /// Where it is.
    package let path: [UInt8]
    private var known: (version: FileVersion, database: ConstantDatabase)?

    /// The database at the path, which need not be there yet.
    package init(path: [UInt8]) { self.path = path }

    /// What is there now.
    package func database() throws(Errno) -> ConstantDatabase {
        let version = try FileVersion(of: path)
        if let known, known.version == version, known.version.isSettled { return known.database }
        known = nil
        let database = try ConstantDatabase(copyOf: path)
        known = (version, database)
        return database
    }
}
