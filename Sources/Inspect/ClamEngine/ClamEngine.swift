import ByteText
import CClamAV
package import Posix
package import ScanProtocol

/// libclamav with its signatures loaded, ready for any number of scans; see clamav.h.
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct ClamEngine: ~Copyable {
    private let raw: OpaquePointer

    /// Why there is no engine.
    package struct Failure: Error, Sendable {
        /// In libclamav's own words where it has any.
        package let reason: [UInt8]
    }

    private init(adopting raw: OpaquePointer) { self.raw = raw }

    deinit { _ = cl_engine_free(raw) }  // It fails only for NULL.

    /// Make one and load its signatures.
    ///
    /// - Throws: Also when there are none: an engine without signatures finds everything clean.
    package static func loaded(_ settings: ClamSettings) throws(Failure) -> ClamEngine {
        Complaints.listen()
        try check(cl_init(UInt32(CL_INIT_DEFAULT)), "unable to start libclamav")
        guard let raw = cl_engine_new() else {
            throw Failure(reason: [UInt8]("libclamav is out of memory"))
        }
        let engine = ClamEngine(adopting: raw)
        try engine.configure(settings)
        try engine.load(settings.database)
        try check(cl_engine_compile(raw), "unable to prepare the signatures")
        return engine
    }

    /// Scan a file.
    ///
    /// - Parameters:
    ///   - file: Opened for reading; its position may change.
    ///   - settings: With the time limit.
    ///   - deadline: The time limit unless `settings` has one; passing it is a failure.
    /// - Returns: Clean only when all of it was looked at.
    package borrowing func scan(
        _ file: borrowing FileDescriptor, _ settings: ClamSettings, until deadline: Deadline
    ) -> Verdict {
        do throws(Errno) {
            // libclamav does not look at such a file, and gives no name for that.
            let limit = cl_engine_get_num(raw, CL_ENGINE_MAX_FILESIZE, nil)
            if limit > 0, try file.status().size > limit {
                return .notScanned(reason: [UInt8]("exceeds MaxFileSize"))
            }
        } catch {
            return .failed(reason: [UInt8]("the message cannot be read: ") + error.text)
        }
        let time = settings.scanTime ?? max(1, deadline.remaining)
        guard cl_engine_set_num(raw, CL_ENGINE_MAX_SCANTIME, Int64(time)) == CL_SUCCESS else {
            return .failed(reason: [UInt8]("libclamav does not take its time limit"))
        }
        return run(file, settings)
    }

    private borrowing func run(
        _ file: borrowing FileDescriptor, _ settings: ClamSettings
    ) -> Verdict {
        // Without CL_SCAN_GENERAL_HEURISTIC_PRECEDENCE a signature wins over a limit or a password.
        var options = cl_scan_options()
        options.general = UInt32(CL_SCAN_GENERAL_HEURISTICS)
        options.parse = ~0
        options.heuristic = UInt32(
            CL_SCAN_HEURISTIC_EXCEEDS_MAX | CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE
                | CL_SCAN_HEURISTIC_ENCRYPTED_DOC)
        var name: UnsafePointer<CChar>?
        var scanned: UInt = 0
        Complaints.listen()
        let code = cl_scandesc(file.rawValue, nil, &name, &scanned, raw, &options)
        switch code {
        case CL_CLEAN:
            guard Complaints.text.isEmpty else { return .failed(reason: Complaints.text) }
            return Complaints.unscanned.map { .notScanned(reason: $0) } ?? .clean
        case CL_VIRUS:
            guard let name else { return .failed(reason: [UInt8]("libclamav gave no name")) }
            let signature = [UInt8](cString: name)
            if settings.scanTime == nil, signature.range(of: "MaxScanTime") != nil {
                return .failed(reason: [UInt8]("the scan took too long"))
            }
            return .clamAVFound(signature)
        default: return .failed(reason: Self.text("libclamav", code))
        }
    }

    private borrowing func configure(_ settings: ClamSettings) throws(Failure) {
        // One message does not repeat itself so often that remembering its clean parts pays.
        try set(CL_ENGINE_DISABLE_CACHE, 1)
        try set(CL_ENGINE_MAX_SCANSIZE, settings.scanSize)
        try set(CL_ENGINE_MAX_FILESIZE, settings.fileSize)
        try set(CL_ENGINE_MAX_FILES, settings.files)
        try set(CL_ENGINE_MAX_RECURSION, settings.recursion)
        let code = withCString(settings.temporaryFolder) {
            cl_engine_set_str(raw, CL_ENGINE_TMPDIR, $0)
        }
        try Self.check(code, "unable to use CLAMAV_TMPDIR")
    }

    private borrowing func set(_ field: cl_engine_field, _ value: Int?) throws(Failure) {
        guard let value else { return }
        try Self.check(cl_engine_set_num(raw, field, Int64(value)), "unable to set a limit")
    }

    private borrowing func load(_ database: [UInt8]) throws(Failure) {
        do throws(Errno) {
            _ = try FileDescriptor.open(database, .read)
        } catch {
            throw Failure(
                reason: [UInt8]("unable to read the signature database ") + database
                    + [UInt8](": ") + error.text)
        }
        var count: UInt32 = 0
        let options = UInt32(CL_DB_PHISHING | CL_DB_PHISHING_URLS | CL_DB_BYTECODE)
        let code = withCString(database) { cl_load($0, raw, &count, options) }
        // An empty folder is an error to some versions and not to others. cl_load counts exceptions (.fp) too,
        // and cl_countsigs files of rules without a rule: what both have are signatures.
        if code == CL_SUCCESS, count > 0, Self.signatures(in: database) > 0 { return }
        guard code != CL_SUCCESS, code != CL_EOPEN else {
            throw Failure(reason: [UInt8]("no signatures in ") + database)
        }
        throw Failure(reason: Self.text("unable to load the signature database", code))
    }

    private static func signatures(in database: [UInt8]) -> UInt32 {
        var count: UInt32 = 0
        let kinds = UInt32(CL_COUNTSIGS_OFFICIAL | CL_COUNTSIGS_UNOFFICIAL)
        let code = withCString(database) { cl_countsigs($0, kinds, &count) }
        return code == CL_SUCCESS ? count : 0
    }

    private static func check(_ code: cl_error_t, _ words: StaticString) throws(Failure) {
        if code != CL_SUCCESS { throw Failure(reason: text(words, code)) }
    }

    private static func text(_ words: StaticString, _ code: cl_error_t) -> [UInt8] {
        var text = [UInt8](words) + [UInt8](": ")
        text += Complaints.text
        if Complaints.text.isEmpty, let error = cl_strerror(code) {
            text += [UInt8](cString: error)
        }
        return text
    }
}
