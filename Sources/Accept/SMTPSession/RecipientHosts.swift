import ByteText
import ConstantDatabases
import ControlFiles
import Posix

/// The domains that mail is taken for, as in control/rcpthosts and control/morercpthosts.cdb.
struct RecipientHosts: ~Copyable {
    private let names: ControlList
    private let databasePath: [UInt8]
    private var database: ConstantDatabase?
    private var isDatabaseOpen = false

    /// Take the entries: a domain, or with a dot first all domains below one.
    init(names: ControlList, databasePath: [UInt8]) {
        self.names = names
        self.databasePath = databasePath
    }

    /// Read the control files; without rcpthosts only the server's own name is taken.
    init(_ control: Control, ownName: [UInt8]) throws(ControlFailure) {
        self.init(
            names: try control.list("rcpthosts") ?? ControlList(ownName),
            databasePath: control.file("morercpthosts.cdb"))
    }

    /// Whether mail for the domain is taken.
    ///
    /// - Throws: When the database exists and cannot be read.
    mutating func contains(_ domain: [UInt8]) throws(Errno) -> Bool {
        let domain = domain.lowercased
        if names.contains(domain[...]) { return true }
        for i in domain.indices where domain[i] == UInt8(ascii: ".") {
            if names.contains(domain[i...]) { return true }
        }
        if try !openDatabase() { return false }
        if try isInDatabase(domain[...]) { return true }
        for i in domain.indices where domain[i] == UInt8(ascii: ".") {
            if try isInDatabase(domain[i...]) { return true }
        }
        return false
    }

    private mutating func isInDatabase(_ name: ArraySlice<UInt8>) throws(Errno) -> Bool {
        try database?.contains(name) ?? false
    }

    /// Opened for the first recipient that needs it; most sessions have none.
    private mutating func openDatabase() throws(Errno) -> Bool {
        if !isDatabaseOpen {
            do throws(Errno) { database = try ConstantDatabase(path: databasePath) } catch {
                if error != .noSuchFile { throw error }
            }
            isDatabaseOpen = true
        }
        return database != nil
    }
}
