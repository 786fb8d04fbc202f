// swift-tools-version: 6.2
import PackageDescription

/// Two ways to build the same sources.
///
/// `QHPSI_EMBEDDED=1 swift build -c release` makes what is installed: Embedded Swift, 0.8 MB static
/// programs that start as fast as C, and small plugins.  Without it the targets are ordinary Swift,
/// which the tests and the fuzzers need.  The Makefile sets it.
let embedded = Context.environment["QHPSI_EMBEDDED"] == "1"
let fuzzing = Context.environment["QHPSI_FUZZ"] == "1"

/// Every Swift target is compiled with the same strictness.
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
    + (embedded
        ? [
            .enableExperimentalFeature("Embedded"),
            // With a section for each function, what nobody calls is not linked.
            .unsafeFlags(["-wmo", "-Xfrontend", "-function-sections"]),
            // It names constants by their number in a function. The copies of a function in two modules
            // can number them differently, and the linker keeps one module's: `[0]` became `[32]`.
            .unsafeFlags(["-Xllvm", "-sil-disable-pass=object-outliner"]),
        ] : [])
    + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])] : [])

/// How a program or plugin is linked when it is built to be installed.
enum Linkage {
    /// No dynamic loader, no NSS, no plugins: programs run once per connection or message.
    case selfContained
    /// libc outside: programs that use dlopen, NSS or DNS.
    case systemLinked

    var settings: [LinkerSetting] {
        guard embedded else { return [] }
        // clang says that -pie is unused beside -static-pie; the driver always passes it.
        let common = [
            "-use-ld=lld", "-Xlinker", "--gc-sections", "-Xclang-linker",
            "-Wno-unused-command-line-argument",
        ]
        return switch self {
        case .selfContained: [.unsafeFlags(common + ["-Xclang-linker", "-static-pie"])]
        case .systemLinked: [.unsafeFlags(common)]
        }
    }

    /// What goes before main.
    var start: [Target.Dependency] {
        embedded && self == .selfContained ? ["CStart"] : []
    }
}

/// Where a target lives: one folder per stage of the mail's way.
// The cases are the names of the folders.
// swift-format-ignore: AlwaysUseLowerCamelCase
enum Stage: String { case Accept, Enqueue, Inspect, Send, System }

extension Target {
    static func library(
        _ name: String, in stage: Stage, uses: [Target.Dependency] = []
    ) -> Target {
        .target(
            name: name, dependencies: uses, path: "Sources/\(stage)/\(name)",
            swiftSettings: strict)
    }
    /// C only: module maps, headers and short shims.
    static func bridge(
        _ name: String, in stage: Stage, exclude: [String] = [], links libraries: [String] = []
    ) -> Target {
        .target(
            name: name, path: "Sources/\(stage)/\(name)", exclude: exclude,
            linkerSettings: libraries.map { .linkedLibrary($0) })
    }
    static func program(
        _ name: String, in stage: Stage, uses: [Target.Dependency], linked: Linkage
    ) -> Target {
        .executableTarget(
            name: name, dependencies: uses + linked.start, path: "Sources/\(stage)/\(name)",
            swiftSettings: strict, linkerSettings: linked.settings)
    }
    /// A shared object that exports the entry points of qhpsi_plugin(3) only.
    static func plugin(_ name: String, uses: [Target.Dependency]) -> Target {
        let exports = Context.packageDirectory + "/Sources/Inspect/CScanPlugin/plugin.exports"
        return .target(
            name: name, dependencies: uses, path: "Sources/Inspect/\(name)",
            swiftSettings: strict,
            linkerSettings: Linkage.systemLinked.settings
                + (embedded
                    ? [.unsafeFlags(["-Xlinker", "--version-script=\(exports)"])] : []))
    }
    static func tests(
        of name: String, in stage: Stage, uses: [Target.Dependency] = []
    ) -> Target {
        .testTarget(
            name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + uses,
            path: "Tests/\(stage)/\(name)Tests", swiftSettings: strict)
    }
    /// Tests that drive the installed programs as a user would.
    static func programTests(_ name: String, uses: [Target.Dependency] = []) -> Target {
        .testTarget(
            name: "\(name)Tests", dependencies: ["Testbed"] + uses,
            path: "Tests/Programs/\(name)Tests", swiftSettings: strict)
    }
    /// Swift that exports LLVMFuzzerTestOneInput, under libFuzzer's driver; see CONTRIBUTING.md.
    static func fuzzer(_ name: String, uses: [Target.Dependency]) -> Target {
        // SwiftPM makes main the module's own, which a library-like fuzzer does not have.
        let main = String(name.map { $0 == "-" ? "_" : $0 }) + "_main"
        return .executableTarget(
            name: name, dependencies: ["CFuzz"] + uses, path: "Fuzz/\(name)", exclude: ["seeds"],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags([
                    "-sanitize=fuzzer,address", "-use-ld=lld", "-Xclang-linker", "-no-pie",
                    "-Xlinker", "--defsym=\(main)=cfuzz_main",
                ])
            ])
    }
}

let system: [Target] = [
    .bridge("CBoot", in: .System),
    .bridge("CStart", in: .System),
    .bridge("CPosix", in: .System),
    .library("ByteText", in: .System),
    .library("Posix", in: .System, uses: ["CBoot", "CPosix"]),
    .library("ControlFiles", in: .System, uses: ["ByteText", "Posix"]),
    .library("Logging", in: .System, uses: ["ByteText"]),
    .library("DNSMessage", in: .System, uses: ["ByteText"]),
    .systemLibrary(
        name: "CCares", path: "Sources/System/CCares", pkgConfig: "libcares",
        providers: [.apt(["libc-ares-dev"])]),
    .library("Resolver", in: .System, uses: ["ByteText", "CCares", "DNSMessage", "Posix"]),
    .library("LocalUsers", in: .System, uses: ["ByteText", "ConstantDatabases", "Posix"]),
    .systemLibrary(
        name: "CTinyCDB", path: "Sources/System/CTinyCDB", pkgConfig: "libcdb",
        providers: [.apt(["libcdb-dev"])]),
    .library("ConstantDatabases", in: .System, uses: ["ByteText", "CTinyCDB", "Posix"]),
    .systemLibrary(
        name: "COpenSSL", path: "Sources/System/COpenSSL", pkgConfig: "openssl",
        providers: [.apt(["libssl-dev"])]),
]
let accept: [Target] = [
    .library("ConnectionRules", in: .Accept, uses: ["ByteText"]),
    .library(
        "RuleDatabase", in: .Accept,
        uses: ["ByteText", "ConnectionRules", "ConstantDatabases", "Posix"]),
    .library("ProxyProtocol", in: .Accept, uses: ["ByteText"]),
    .library(
        "ConnectionServer", in: .Accept,
        uses: [
            "ByteText", "ConnectionRules", "ConstantDatabases", "DNSMessage", "Posix",
            "ProxyProtocol",
            "Resolver", "RuleDatabase",
        ]),
    .library("SMTPGrammar", in: .Accept, uses: ["ByteText", "EnvelopeWire"]),
    .library(
        "Recipients", in: .Accept,
        uses: [
            "ByteText", "ConnectionRules", "ConstantDatabases", "ControlFiles", "Posix",
            "RuleDatabase",
        ]),
    .library(
        "SMTPSession", in: .Accept,
        uses: [
            "ByteText", "ConstantDatabases", "ControlFiles", "DNSMessage", "EnvelopeWire",
            "LocalUsers", "Logging", "MailFormat", "Posix", "QueueClient", "Recipients", "Resolver",
            "SMTPGrammar",
        ]),
    .library(
        "TLSStream", in: .Accept,
        uses: ["ByteText", "ControlFiles", "COpenSSL", "Posix", "SMTPSession"]),
    .bridge("CPAM", in: .Accept, links: ["pam"]),
    .library(
        "Checkpassword", in: .Accept, uses: ["ByteText", "ControlFiles", "CPAM", "Posix"]),
    .library("MessageComposition", in: .Accept, uses: ["ByteText"]),
    .library(
        "Injection", in: .Accept,
        uses: [
            "ByteText", "ControlFiles", "EnvelopeWire", "LocalUsers", "MailFormat",
            "MessageComposition", "Posix", "QueueClient",
        ]),
    .program("tcprules", in: .Accept, uses: ["Posix", "RuleDatabase"], linked: .selfContained),
    .program(
        "tcprulescheck", in: .Accept, uses: ["Posix", "RuleDatabase"], linked: .selfContained),
    .program(
        "tcpserver", in: .Accept, uses: ["ConnectionServer", "Posix"], linked: .selfContained),
    .program(
        "qmail-recipients", in: .Accept, uses: ["Posix", "Recipients"], linked: .selfContained),
    .program("qmail-smtpd", in: .Accept, uses: ["Posix", "SMTPSession"], linked: .selfContained),
    .program("qmail-smtpd-tls", in: .Accept, uses: ["Posix", "TLSStream"], linked: .systemLinked),
    .program(
        "qhpsi-checkpassword", in: .Accept, uses: ["Checkpassword", "Posix"], linked: .systemLinked),
    .program("qmail-inject", in: .Accept, uses: ["Injection", "Posix"], linked: .selfContained),
    .program("sendmail", in: .Accept, uses: ["Injection", "Posix"], linked: .selfContained),
]
let enqueue: [Target] = [
    .library("MailFormat", in: .Enqueue, uses: ["ByteText"]),
    .library("EnvelopeWire", in: .Enqueue, uses: ["ByteText"]),
    .library("QueueClient", in: .Enqueue, uses: ["ByteText", "EnvelopeWire", "Posix"]),
    .library(
        "QueueStore", in: .Enqueue,
        uses: [
            "ByteText", "ControlFiles", "EnvelopeWire", "Logging", "MailFormat", "Posix",
            "ScanPolicy", "ScanProtocol",
        ]),
    .program("qmail-queue", in: .Enqueue, uses: ["Posix", "QueueStore"], linked: .selfContained),
    .program("queue-fix", in: .Enqueue, uses: ["Posix", "QueueStore"], linked: .selfContained),
    .library(
        "QueueListing", in: .Enqueue,
        uses: ["ByteText", "ControlFiles", "EnvelopeWire", "MailFormat", "Posix", "QueueStore"]),
    .program("qmail-qread", in: .Enqueue, uses: ["Posix", "QueueListing"], linked: .selfContained),
    .program("qmail-qstat", in: .Enqueue, uses: ["Posix", "QueueListing"], linked: .selfContained),
    .program("mailq", in: .Enqueue, uses: ["Posix", "QueueListing"], linked: .selfContained),
]
let inspect: [Target] = [
    .systemLibrary(
        name: "CClamAV", path: "Sources/Inspect/CClamAV", pkgConfig: "libclamav",
        providers: [.apt(["libclamav-dev"])]),
    .bridge("CScanPlugin", in: .Inspect, exclude: ["plugin.exports"]),
    .library("ScanProtocol", in: .Inspect, uses: ["ByteText"]),
    .library(
        "ScanPlugin", in: .Inspect, uses: ["ByteText", "CScanPlugin", "Posix", "ScanProtocol"]),
    .library("ScanPolicy", in: .Inspect, uses: ["ByteText", "ScanProtocol"]),
    .library(
        "ScanHost", in: .Inspect, uses: ["ByteText", "ControlFiles", "Posix", "ScanProtocol"]),
    .library(
        "HostStart", in: .Inspect,
        uses: ["ByteText", "ClamdClient", "ControlFiles", "Posix", "ScanProtocol"]),
    .library(
        "PluginHost", in: .Inspect,
        uses: [
            "ByteText", "ControlFiles", "CScanPlugin", "HostStart", "Posix", "ScanPlugin",
            "ScanProtocol",
        ]),
    .library("ClamdClient", in: .Inspect, uses: ["ByteText", "Posix", "ScanProtocol"]),
    .library("ClamEngine", in: .Inspect, uses: ["ByteText", "CClamAV", "Posix", "ScanProtocol"]),
    .program("qhpsi", in: .Inspect, uses: ["Posix", "ScanHost"], linked: .selfContained),
    .program("qhpsi-host", in: .Inspect, uses: ["HostStart", "Posix"], linked: .selfContained),
    .program(
        "qhpsi-plugins", in: .Inspect, uses: ["HostStart", "PluginHost", "Posix"],
        linked: .systemLinked),
    .plugin(
        "PluginClamd",
        uses: ["ByteText", "ClamdClient", "CScanPlugin", "Posix", "ScanPlugin", "ScanProtocol"]),
    .plugin(
        "PluginLibclamav",
        uses: ["ByteText", "ClamEngine", "CScanPlugin", "Posix", "ScanPlugin", "ScanProtocol"]),
]

let send: [Target] = [
    .library("DeliverySpawner", in: .Send, uses: ["ByteText", "ControlFiles", "Posix"]),
    .library("Schedule", in: .Send),
    .library("DeliveryReport", in: .Send),
    .library("Routing", in: .Send, uses: ["ByteText"]),
    .library("Bounce", in: .Send, uses: ["ByteText", "EnvelopeWire", "MailFormat"]),
    .library(
        "SendQueue", in: .Send,
        uses: ["ByteText", "EnvelopeWire", "Posix", "QueueStore", "Schedule"]),
    .library(
        "Sender", in: .Send,
        uses: [
            "Bounce", "ByteText", "ControlFiles", "DeliveryReport", "EnvelopeWire", "Posix",
            "QueueStore", "Routing", "Schedule", "SendQueue",
        ]),
    .library(
        "Cleaner", in: .Send,
        uses: ["ByteText", "ControlFiles", "EnvelopeWire", "Posix", "QueueStore"]),
    .library("SendStart", in: .Send, uses: ["ByteText", "ControlFiles", "Posix"]),
    .program("qmail-send", in: .Send, uses: ["Posix", "Sender"], linked: .selfContained),
    .program("qmail-clean", in: .Send, uses: ["Cleaner", "Posix"], linked: .selfContained),
    .program("qmail-start", in: .Send, uses: ["Posix", "SendStart"], linked: .selfContained),
    .library("Maildir", in: .Send, uses: ["ByteText", "Posix"]),
    .library("Filter", in: .Send, uses: ["ByteText"]),
    .library("FilterStore", in: .Send, uses: ["ByteText", "ControlFiles", "Filter", "Posix"]),
    .library(
        "FilterDelivery", in: .Send,
        uses: [
            "ByteText", "ControlFiles", "Filter", "FilterStore", "Maildir", "Posix", "QueueClient",
        ]),
    .program("vfilter", in: .Send, uses: ["FilterDelivery", "Posix"], linked: .selfContained),
    .program("vcfilter", in: .Send, uses: ["FilterStore", "Posix"], linked: .selfContained),
    .library("DotQmail", in: .Send, uses: ["ByteText", "MailFormat"]),
    .library(
        "LocalDelivery", in: .Send,
        uses: [
            "ByteText", "ControlFiles", "DotQmail", "FilterDelivery", "LocalUsers", "Maildir",
            "MailFormat", "Posix",
            "QueueClient",
        ]),
    .program("qmail-local", in: .Send, uses: ["LocalDelivery", "Posix"], linked: .selfContained),
    .library(
        "LocalSpawner", in: .Send,
        uses: [
            "ByteText", "ConstantDatabases", "ControlFiles", "DeliverySpawner", "LocalUsers",
            "Posix",
        ]),
    .program("qmail-lspawn", in: .Send, uses: ["LocalSpawner", "Posix"], linked: .selfContained),
    .library(
        "MailUsers", in: .Send,
        uses: ["ByteText", "ConstantDatabases", "ControlFiles", "LocalUsers", "Posix"]),
    .program("qmail-newu", in: .Send, uses: ["MailUsers", "Posix"], linked: .selfContained),
    .library("AliasFile", in: .Send, uses: ["ByteText"]),
    .library(
        "AliasDelivery", in: .Send,
        uses: [
            "AliasFile", "ByteText", "ConstantDatabases", "ControlFiles", "LocalDelivery", "Posix",
        ]),
    .program("fastforward", in: .Send, uses: ["AliasDelivery", "Posix"], linked: .selfContained),
    .program("newaliases", in: .Send, uses: ["AliasDelivery", "Posix"], linked: .selfContained),
    .program("qmail-getpw", in: .Send, uses: ["MailUsers", "Posix"], linked: .selfContained),
    .library("RemoteDialogue", in: .Send, uses: ["ByteText"]),
    .library(
        "RemoteDelivery", in: .Send, uses: ["ByteText", "ControlFiles", "Posix", "RemoteDialogue"]),
    .library(
        "MailRoutes", in: .Send,
        uses: [
            "ByteText", "ControlFiles", "DNSMessage", "Posix", "RemoteDelivery", "RemoteDialogue",
            "Resolver",
        ]),
    .library(
        "RemoteTLS", in: .Send,
        uses: [
            "ByteText", "ControlFiles", "COpenSSL", "Posix", "RemoteDelivery", "RemoteDialogue",
        ]),
    .library(
        "RemoteSpawner", in: .Send,
        uses: ["ByteText", "ControlFiles", "DeliverySpawner", "Posix", "RemoteDialogue"]),
    .program("qmail-remote", in: .Send, uses: ["MailRoutes", "Posix"], linked: .selfContained),
    .program("qmail-remote-tls", in: .Send, uses: ["Posix", "RemoteTLS"], linked: .systemLinked),
    .program("qmail-rspawn", in: .Send, uses: ["Posix", "RemoteSpawner"], linked: .selfContained),
    .program("qmail-tcpto", in: .Send, uses: ["Posix", "RemoteDelivery"], linked: .selfContained),
    .program("qmail-tcpok", in: .Send, uses: ["Posix", "RemoteDelivery"], linked: .selfContained),
]

/// The admin's tool: ordinary Swift, because ArgumentParser is.
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let admin: [Target] = [
    .library("AdminReport", in: .System),
    .library(
        "SelfTest", in: .System,
        uses: [
            "AdminReport", "ByteText", "ControlFiles", "EnvelopeWire", "MailFormat", "Posix",
            "QueueStore",
        ]),
    .library(
        "Doctor", in: .System,
        uses: [
            "AdminReport", "ByteText", "ClamdClient", "ConnectionRules", "ControlFiles",
            "FilterStore", "Posix", "ScanPolicy", "ScanProtocol",
        ]),
    .library(
        "Quarantine", in: .System,
        uses: [
            "AdminReport", "ByteText", "ControlFiles", "EnvelopeWire", "Filter", "FilterStore",
            "LocalUsers", "MailFormat", "Posix", "QueueClient", "Routing",
        ]),
    .program(
        "qhpsictl", in: .System,
        uses: [
            "AdminReport", "ControlFiles", "Doctor", "Posix", "Quarantine", "SelfTest",
            argumentParser,
        ],
        linked: .systemLinked),
]

/// While you work, `QHPSI_TESTS=QmailQueue,ByteText swift build --build-tests` builds only these tests.
let wanted = Context.environment["QHPSI_TESTS"]?.split(separator: ",").map { "\($0)Tests" }

/// The tests and what only they use; not built into what is installed.
let tests: [Target] = [
    .library("Testbed", in: .System, uses: ["ByteText", "Posix"]),
    .programTests("QmailQueue"),
    .programTests("Qhpsi"),
    .programTests("QueueFix"),
    .programTests("Trust"),
    .programTests("Mail"),
    .tests(of: "ByteText", in: .System),
    .tests(of: "Posix", in: .System, uses: ["Testbed"]),
    .tests(of: "DNSMessage", in: .System, uses: ["ByteText"]),
    .tests(of: "DeliverySpawner", in: .Send),
    .tests(of: "Schedule", in: .Send),
    .tests(of: "DeliveryReport", in: .Send),
    .tests(of: "Routing", in: .Send),
    .tests(of: "Bounce", in: .Send, uses: ["EnvelopeWire"]),
    .tests(
        of: "SendQueue", in: .Send,
        uses: ["EnvelopeWire", "Posix", "QueueStore", "Schedule", "Testbed"]),
    .programTests("QmailSend", uses: ["Posix"]),
    .tests(of: "Maildir", in: .Send, uses: ["Posix", "Testbed"]),
    .tests(of: "DotQmail", in: .Send),
    .tests(of: "AliasFile", in: .Send),
    .programTests("Fastforward", uses: ["Posix"]),
    .programTests("QmailLocal", uses: ["Posix"]),
    .programTests("QmailLspawn", uses: ["Posix"]),
    .programTests("QmailNewu", uses: ["Posix"]),
    .tests(of: "LocalUsers", in: .System, uses: ["Posix", "Testbed"]),
    .tests(of: "Resolver", in: .System, uses: ["ByteText", "DNSMessage", "Posix", "Testbed"]),
    .tests(of: "EnvelopeWire", in: .Enqueue),
    .tests(of: "MailFormat", in: .Enqueue),
    .tests(of: "ClamdClient", in: .Inspect, uses: ["Posix", "ScanProtocol"]),
    .tests(of: "ScanProtocol", in: .Inspect),
    .programTests("Plugin", uses: ["ByteText", "Posix", "ScanProtocol"]),
    .tests(of: "ConnectionRules", in: .Accept, uses: ["ByteText"]),
    .tests(of: "Recipients", in: .Accept, uses: ["ConnectionRules"]),
    .programTests("QmailRecipients", uses: ["Posix"]),
    .programTests("Tcprules", uses: ["ByteText", "ConnectionRules", "Posix", "RuleDatabase"]),
    .programTests("Tcprulescheck", uses: ["Posix"]),
    .tests(of: "ProxyProtocol", in: .Accept, uses: ["ByteText"]),
    .programTests("Tcpserver", uses: ["Posix"]),
    .tests(of: "SMTPGrammar", in: .Accept, uses: ["ByteText", "EnvelopeWire"]),
    .tests(of: "MessageComposition", in: .Accept),
    .tests(of: "Injection", in: .Accept, uses: ["MessageComposition"]),
    .programTests("QmailInject", uses: ["Posix"]),
    .programTests("Sendmail", uses: ["Posix"]),
    .programTests("QueueListing", uses: ["Posix"]),
    .tests(of: "ScanPolicy", in: .Inspect, uses: ["ScanProtocol"]),
    .programTests("QmailSmtpd", uses: ["EnvelopeWire", "Posix"]),
    .tests(of: "Filter", in: .Send),
    .tests(of: "FilterDelivery", in: .Send, uses: ["ControlFiles"]),
    .programTests("Vcfilter", uses: ["Posix"]),
    .programTests("Vfilter", uses: ["Posix"]),
    .tests(of: "AdminReport", in: .System),
    .programTests("Qhpsictl", uses: ["Posix"]),
    .programTests("QhpsiCheckpassword", uses: ["Posix"]),
    .tests(of: "RemoteDialogue", in: .Send),
    .tests(of: "RemoteDelivery", in: .Send, uses: ["ByteText"]),
    .tests(of: "MailRoutes", in: .Send, uses: ["ByteText"]),
    .tests(of: "RemoteSpawner", in: .Send, uses: ["DeliverySpawner"]),
    .programTests("QmailRspawn", uses: ["Posix"]),
    .programTests("QmailRemote", uses: ["Posix"]),
]
let fuzzers: [Target] = [
    .target(name: "CFuzz", path: "Fuzz/CFuzz"),
    .fuzzer("fuzz-envelope", uses: ["EnvelopeWire"]),
    .fuzzer("fuzz-scrubber", uses: ["MailFormat"]),
    .fuzzer("fuzz-words", uses: ["ScanPolicy", "ScanProtocol"]),
    .fuzzer("fuzz-clamd", uses: ["ByteText", "ClamdClient", "ScanProtocol"]),
    .fuzzer("fuzz-report", uses: ["EnvelopeWire", "ScanProtocol"]),
    .fuzzer("fuzz-rules", uses: ["ByteText", "ConnectionRules"]),
    .fuzzer("fuzz-dns", uses: ["ByteText", "DNSMessage"]),
    .fuzzer("fuzz-proxy", uses: ["ByteText", "ProxyProtocol"]),
    .fuzzer("fuzz-auth", uses: ["ByteText", "SMTPGrammar"]),
    .fuzzer("fuzz-bdat", uses: ["ByteText", "SMTPGrammar"]),
    .fuzzer("fuzz-filter", uses: ["ByteText", "Filter"]),
    .fuzzer("fuzz-jobs", uses: ["DeliverySpawner"]),
    .fuzzer("fuzz-dotqmail", uses: ["DotQmail"]),
    .fuzzer("fuzz-aliases", uses: ["AliasFile"]),
    .fuzzer("fuzz-addresses", uses: ["ByteText", "MessageComposition"]),
    .fuzzer("fuzz-remote", uses: ["ByteText", "RemoteDialogue"]),
    .fuzzer("fuzz-smtp", uses: ["ByteText", "EnvelopeWire", "SMTPGrammar"]),
]

/// Programs have a main.swift, and fuzzers are compiled without one.
let shipped = (system + accept + enqueue + inspect + send)
    .filter { !fuzzing || $0.type != .executable }

let checks =
    wanted.map { names in tests.filter { $0.type != .test || names.contains($0.name) } }
    ?? admin + tests

let package = Package(
    name: "qhpsi",
    products: fuzzing
        ? []
        : [
            .library(name: "clamd", type: .dynamic, targets: ["PluginClamd"]),
            .library(name: "libclamav", type: .dynamic, targets: ["PluginLibclamav"]),
        ],
    dependencies: fuzzing || embedded || wanted != nil
        ? [] : [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")],
    targets: shipped + (fuzzing ? fuzzers : embedded ? [] : checks),
    swiftLanguageModes: [.v6]
)
