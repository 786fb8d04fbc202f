import ByteText
package import CommandLine
import ControlFiles
import Filter
import Posix

/// The program vcfilter(1).
package enum VcfilterProgram {
    /// Names whose mail must arrive, whatever somebody thinks of it; `register-*` is such a name, too.
    private static let reserved: [StaticString] = [
        "postmaster", "abuse", "mailer-daemon", "spam", "nonspam",
    ]

    /// Show or change rules as the arguments say.
    ///
    /// - Returns: 0 when it is done; 1 when the rules are not such that it could be, 100 for wrong arguments, 111
    ///   when something could not be read or written.
    package static func run(_ program: Program) -> Int32 {
        // What is made can be read by the users as whom vfilter(8) runs.
        Process.setFileModeMask(0o022)
        do throws(VcfilterFailure) {
            return try run(try VcfilterOptions(Process.arguments.dropFirst()))
        } catch {
            if case .usage = error { return program.misused() }
            return program.fatal(error.text, error.exitCode)
        }
    }

    private static func run(_ options: VcfilterOptions) throws(VcfilterFailure) -> Int32 {
        let instance = Instance.current(Environment.current)
        let store = FilterStore(of: instance)
        try check(options.address, instance)
        if options.action == .show { return try show(options, store) }
        let change = try RuleChange(options)
        try checkPermission(store)
        var failure: VcfilterFailure?
        var done: FilterRule?
        do throws(FilterStoreFailure) {
            try store.change(options.address) { rules in
                do throws(VcfilterFailure) {
                    done = try change.apply(to: &rules)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw .store(error)
        }
        if let failure { throw failure }
        if options.isVerbose, let done {
            FileDescriptor.tell(
                options.address.text + [UInt8](": ") + word(options.action) + [32] + done.line
                    + [10], on: 1)
        }
        return 0
    }

    private static func word(_ action: VcfilterOptions.Action) -> [UInt8] {
        switch action {
        case .insert: [UInt8]("inserted")
        case .update: [UInt8]("updated")
        case .delete: [UInt8]("deleted")
        case .show: []
        }
    }

    private static func check(
        _ address: FilterAddress, _ instance: Instance
    ) throws(VcfilterFailure) {
        for name in reserved where address.local.equals(name) {
            throw .reservedName(address.local)
        }
        if address.local.starts(with: "register-") { throw .reservedName(address.local) }
        do throws(ControlFailure) {
            let domains = try FilterDomains(Control(of: instance))
            if domains.contains(address.domain) { return }
        } catch {
            throw .control(error)
        }
        throw .unknownDomain(address.domain)
    }

    /// Root may, and who owns the folder; without a folder yet the kernel decides.
    private static func checkPermission(_ store: FilterStore) throws(VcfilterFailure) {
        let user = Process.effectiveUser
        if user == 0 { return }
        do throws(Errno) {
            if try FileStatus(following: store.directory).owner == user { return }
        } catch {
            if error == .noSuchFile { return }
        }
        throw .notPermitted(directory: store.directory)
    }

    private static func show(
        _ options: VcfilterOptions, _ store: FilterStore
    ) throws(VcfilterFailure) -> Int32 {
        let rules: [FilterRule]
        do throws(FilterStoreFailure) { rules = try store.rules(for: options.address) } catch {
            throw .store(error)
        }
        var text: [UInt8] = []
        if options.isRaw {
            for rule in rules { text += rule.line + [10] }
        } else if rules.isEmpty {
            text = options.address.text + [UInt8](" has no rules\n")
        } else {
            text = RuleTable.text(rules)
        }
        return FileDescriptor.tell(text, on: 1) ? 0 : 111
    }
}
