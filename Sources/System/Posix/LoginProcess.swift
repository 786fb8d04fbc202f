import CPosix

// What a process needs that becomes a user who has logged in.

extension Process {
    /// Join the supplementary groups of a user, and this one, and leave all others; see initgroups(3).
    package static func setSupplementaryGroups(
        ofUser name: [UInt8], and group: UInt32
    ) throws(Errno) {
        try withCString(name) { (name) throws(Errno) in
            _ = try retrying { initgroups(name, group) }
        }
    }

    /// Let libraries in this process see these variables and no others; see clearenv(3) and putenv(3).
    package static func setVariables(_ environment: Environment) throws(Errno) {
        clearenv()
        for entry in environment.entries {
            // The string becomes part of the environment, which lives as long as the process.
            guard let copy = withCString(entry, { strdup($0) }) else { throw .noMemory }
            try retrying { putenv(copy) }
        }
    }
}

extension Files {
    /// The file of a program, which without a slash in its name is the first executable one in the folders of
    /// a PATH; nil when there is none.
    package static func program(_ name: [UInt8], in searchPath: [UInt8]) -> [UInt8]? {
        if name.contains(UInt8(ascii: "/")) { return name }
        for folder in searchPath.split(separator: UInt8(ascii: ":"))
        where folder.first == UInt8(ascii: "/") && !name.isEmpty {
            let path = folder + [UInt8(ascii: "/")] + name
            if isExecutable(Array(path)) { return Array(path) }
        }
        return nil
    }
}
