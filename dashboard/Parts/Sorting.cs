namespace ManagedServers.Dashboard.Parts;

/// <summary>By which column a table is sorted.</summary>
public readonly record struct Sorting<TColumn>(TColumn By, bool Descending = false) where TColumn : struct, Enum;
