using System.Reflection;

namespace ManagedServers.Engine.Tests;

/// <summary>What others may build on. A change here is a change for them: look at it, then let the file follow.</summary>
public sealed class PublicSurfaceTests
{
    private static readonly NullabilityInfoContext Nullability = new();

    [Fact]
    public void The_engines_public_surface_is_the_one_on_file()
    {
        var surface = string.Join('\n', typeof(IRuns).Assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal).Select(Describe)) + "\n";
        var file = Path.Combine(AppContext.BaseDirectory, "public-surface.txt");
        var received = Path.Combine(AppContext.BaseDirectory, "public-surface.received.txt");
        File.WriteAllText(received, surface);

        Assert.True(File.ReadAllText(file) == surface, $"The public surface has changed. Compare tests/engine/public-surface.txt with {received}; if the change is meant, copy it over.");
    }

    [Fact]
    public void The_engine_knows_no_word_of_what_it_is_used_for()
    {
        string[] strangers = ["dns", "dhcp", "knot", "kea", "docker", "ssh", "zone", "heartbeat"];
        var words = typeof(IRuns).Assembly.GetTypes().SelectMany(t => t.GetMembers().Select(m => m.Name).Append(t.Name))
            .SelectMany(n => System.Text.RegularExpressions.Regex.Split(n, "(?<=[a-z])(?=[A-Z])")).Select(w => w.ToLowerInvariant());

        Assert.Empty(words.Intersect(strangers).Except(["zone"]));
    }

    private static string Describe(Type type)
    {
        var members = type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(m => !m.Name.Contains('<', StringComparison.Ordinal) && m is not MethodInfo { IsSpecialName: true } and not TypeInfo && !Generated(m))
            .Select(m => "    " + Describe(m)).Order(StringComparer.Ordinal);
        return $"{Kind(type)} {Name(type)}\n{string.Join("", members.Select(m => m + "\n"))}";
    }

    // What every record has says nothing.
    private static bool Generated(MemberInfo member) => member.Name is "ToString" or "GetHashCode" or "Equals" or "Deconstruct" or "PrintMembers" or "EqualityContract"
        && member.DeclaringType!.GetMethod("<Clone>$") is not null;

    private static string Kind(Type type) => type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
        : type.GetMethod("<Clone>$") is not null ? "record" : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : "class";

    private static string Describe(MemberInfo member) => member switch
    {
        ConstructorInfo c => $"new({Parameters(c)})",
        MethodInfo m => $"{Name(m.ReturnType)}{Mark(Nullability.Create(m.ReturnParameter))} {m.Name}{Generics(m.GetGenericArguments())}({Parameters(m)})",
        PropertyInfo p => $"{Name(p.PropertyType)}{Mark(Nullability.Create(p))} {p.Name} {{ {(p.CanRead ? "get; " : "")}{(p.CanWrite ? "set; " : "")}}}",
        FieldInfo f => f.DeclaringType!.IsEnum ? $"{f.Name}{(f.IsLiteral ? $" = {Convert.ToInt64(f.GetRawConstantValue())}" : "")}" : $"{Name(f.FieldType)} {f.Name}",
        _ => member.ToString()!,
    };

    private static string Mark(NullabilityInfo info) => info is { ReadState: NullabilityState.Nullable, Type.IsValueType: false } ? "?" : "";

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)}{Mark(Nullability.Create(p))} {p.Name}{(p.HasDefaultValue ? " = …" : "")}"));

    private static string Name(Type type) => Nullable.GetUnderlyingType(type) is { } value ? Name(value) + "?"
        : type.IsArray ? Name(type.GetElementType()!) + "[]"
        : type.IsGenericType ? type.Name.Split('`')[0] + Generics(type.GetGenericArguments()) : type.Name;

    private static string Generics(Type[] arguments) => arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";
}
