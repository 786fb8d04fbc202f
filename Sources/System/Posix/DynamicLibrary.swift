import CPosix

/// A shared object in this process, for as long as the process runs; see dlopen(3).
package struct DynamicLibrary {
    private let handle: UnsafeMutableRawPointer

    /// What the dynamic loader said; see dlerror(3).
    package struct Failure: Error {
        /// Its words, with the path or symbol.
        package let text: [UInt8]
    }

    /// Load it with all it needs, keeping its symbols to itself; see dlopen(3), RTLD_NOW and RTLD_LOCAL.
    package init(_ path: [UInt8]) throws(Failure) {
        guard let handle = withCString(path, { dlopen($0, RTLD_NOW | RTLD_LOCAL) }) else {
            throw Self.failure
        }
        self.handle = handle
    }

    /// A function by its symbol; see dlsym(3).
    ///
    /// - Parameters:
    ///   - name: The symbol.
    ///   - type: A `@convention(c)` function type, which must be what the symbol is.
    /// - Returns: The function.
    /// - Throws: When there is no such symbol.
    package func function<Function>(
        named name: [UInt8], as type: Function.Type
    ) throws(Failure) -> Function {
        guard let address = withCString(name, { dlsym(handle, $0) }) else { throw Self.failure }
        return unsafeBitCast(address, to: type)
    }

    private static var failure: Failure {
        guard let words = dlerror() else { return Failure(text: Array("symbol is NULL".utf8)) }
        return Failure(text: bytes(of: words))
    }
}
